*** Settings ***
Documentation    Renode's keywords as far as generated tests use them, with QEMU in Renode's place.
Library          ${CURDIR}/emulation.py

*** Keywords ***
Setup
    No Operation

Teardown
    Reset Emulation

Test Teardown
    No Operation
