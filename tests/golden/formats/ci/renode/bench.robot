*** Comments ***
trivial on STM32F4DISCOVERY in Renode: renode-test renode/bench.robot, after a build.

*** Settings ***
Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Start Firmware
Test Teardown     Stop Firmware
Resource          ${RENODEKEYWORDS}
Library           ${CURDIR}/../golden/bench_library.py

*** Variables ***
${MODEL}          trivial
${ELF}            ${CURDIR}/../build/trivial.elf
${PORT}           3456

*** Test Cases ***
Boots
    Firmware Should Be Ready

Runs The Model Of This Project
    Model Should Be The One Of This Project

Gives Golden Outputs
    Golden Inputs Should Give Golden Outputs

Keeps Within The Instruction Budget
    ${count}=    Instructions Should Be Within The Budget
    Log    ${count} instructions

Works In The Arena As Planned
    Golden Inputs Should Give Golden Outputs
    Arena Should Be As Planned

*** Keywords ***
Start Firmware
    Reset Emulation
    # Not `$bin=...`: Robot takes words with an equals sign for named arguments.
    Execute Command    set bin @${ELF}
    Execute Command    set port ${PORT}
    Execute Command    include @${CURDIR}/stm32f4-discovery.resc
    Start Emulation
    Connect    ${CURDIR}/../golden/${MODEL}.json    127.0.0.1    ${PORT}

Stop Firmware
    Disconnect
    Test Teardown
