"""Reads .tflite files into the IR; everything is checked here and trusted after."""
