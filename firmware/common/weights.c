/* Whether the models' constants are in flash as they were generated: a CRC-32 over each model's arrays. */
#include "protocol.h"
#include "tinygen_model.h"
#include "tinygen_port.h"

#define CHECK(prefix, expected)                                                                                        \
    if (state != TG_WEIGHTS_DAMAGED) {                                                                                 \
        uint32_t crc = 0;                                                                                              \
        size_t bytes;                                                                                                  \
        const void *constants;                                                                                         \
        for (size_t i = 0; (constants = prefix##_constants(i, &bytes)) != NULL; i++) {                                 \
            crc = tg_crc32(crc, constants, bytes);                                                                     \
        }                                                                                                              \
        state = crc == (expected) ? TG_WEIGHTS_INTACT : TG_WEIGHTS_DAMAGED;                                            \
    }

enum tg_weights tg_check_weights(void)
{
    enum tg_weights state = TG_WEIGHTS_UNCHECKED;
    TG_CHECKED_MODELS(CHECK)
    return state;
}
