// Runs trivial on inputs of zeros, once a second.
#include <trivial.h>

void setup() {
  Serial.begin(115200);
  trivial_init();
}

void loop() {
  run_trivial();
  delay(1000);
}

void run_trivial() {
  memset(trivial_input(0), 0, TRIVIAL_INPUT_0_BYTES);  // 1 x 4 int8: your data goes here
  const unsigned long start = micros();
  if (trivial_invoke() != 0) {
    Serial.println("trivial failed");
    return;
  }
  const unsigned long stop = micros();
  const int8_t *output = (const int8_t *)trivial_output(0);  // 1 x 4
  Serial.print("trivial, ");
  Serial.print(stop - start);
  Serial.print(" us:");
  for (size_t i = 0; i < TRIVIAL_OUTPUT_0_BYTES / sizeof *output; i++) {
    Serial.print(' ');
    Serial.print((long)output[i]);
  }
  Serial.println();
}
