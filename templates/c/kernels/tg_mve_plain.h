/* The Helium (MVE) intrinsics that kernels use, in plain C, for cores and hosts without Helium. */
#ifndef TG_MVE_PLAIN_H
#define TG_MVE_PLAIN_H

#include "tg_common.h"

typedef struct {
    int8_t lane[16];
} int8x16_t;

typedef struct {
    int32_t lane[4];
} int32x4_t;

/* A bit for each byte of a vector. */
typedef uint16_t mve_pred16_t;

TG_INLINE mve_pred16_t vctp8q(uint32_t bytes)
{
    return (mve_pred16_t)(bytes < 16 ? (1u << bytes) - 1 : 0xffff);
}

TG_INLINE mve_pred16_t vctp32q(uint32_t words)
{
    return vctp8q(words < 4 ? 4 * words : 16);
}

TG_INLINE int8x16_t vdupq_n_s8(int8_t value)
{
    int8x16_t vector;
    memset(vector.lane, value, sizeof vector.lane);
    return vector;
}

TG_INLINE int8x16_t vldrbq_s8(const int8_t *from)
{
    int8x16_t vector;
    memcpy(vector.lane, from, sizeof vector.lane);
    return vector;
}

TG_INLINE int8x16_t vldrbq_z_s8(const int8_t *from, mve_pred16_t lanes)
{
    int8x16_t vector;
    for (int32_t i = 0; i < 16; i++) {
        vector.lane[i] = (int8_t)((lanes >> i & 1) ? from[i] : 0);
    }
    return vector;
}

TG_INLINE void vstrbq_s8(int8_t *to, int8x16_t vector)
{
    memcpy(to, vector.lane, sizeof vector.lane);
}

TG_INLINE void vstrbq_p_s8(int8_t *to, int8x16_t vector, mve_pred16_t lanes)
{
    for (int32_t i = 0; i < 16; i++) {
        if (lanes >> i & 1) {
            to[i] = vector.lane[i];
        }
    }
}

TG_INLINE int32_t vmladavaq_s8(int32_t acc, int8x16_t a, int8x16_t b)
{
    for (int32_t i = 0; i < 16; i++) {
        acc += a.lane[i] * b.lane[i];
    }
    return acc;
}

TG_INLINE int32x4_t vdupq_n_s32(int32_t value)
{
    const int32x4_t vector = {{value, value, value, value}};
    return vector;
}

TG_INLINE int32x4_t vldrwq_s32(const int32_t *from)
{
    const int32x4_t vector = {{from[0], from[1], from[2], from[3]}};
    return vector;
}

TG_INLINE int32x4_t vldrbq_s32(const int8_t *from)
{
    const int32x4_t vector = {{from[0], from[1], from[2], from[3]}};
    return vector;
}

TG_INLINE void vstrbq_s32(int8_t *to, int32x4_t vector)
{
    for (int32_t i = 0; i < 4; i++) {
        to[i] = (int8_t)vector.lane[i];
    }
}

TG_INLINE int32x4_t vldrbq_z_s32(const int8_t *from, mve_pred16_t lanes)
{
    int32x4_t vector;
    for (int32_t i = 0; i < 4; i++) {
        vector.lane[i] = (lanes >> 4 * i & 1) ? from[i] : 0;
    }
    return vector;
}

TG_INLINE void vstrbq_p_s32(int8_t *to, int32x4_t vector, mve_pred16_t lanes)
{
    for (int32_t i = 0; i < 4; i++) {
        if (lanes >> 4 * i & 1) {
            to[i] = (int8_t)vector.lane[i];
        }
    }
}

#define TG_MVE_LANE_BY_LANE(NAME, EXPRESSION)                                                                          \
    TG_INLINE int32x4_t NAME(int32x4_t a, int32x4_t b)                                                                 \
    {                                                                                                                  \
        for (int32_t i = 0; i < 4; i++) {                                                                              \
            const int32_t x = a.lane[i], y = b.lane[i];                                                                \
            a.lane[i] = (EXPRESSION);                                                                                  \
        }                                                                                                              \
        return a;                                                                                                      \
    }

TG_MVE_LANE_BY_LANE(vaddq_s32, x + y)
TG_MVE_LANE_BY_LANE(vandq_s32, x &y)
TG_MVE_LANE_BY_LANE(vmaxq_s32, x > y ? x : y)
TG_MVE_LANE_BY_LANE(vminq_s32, x < y ? x : y)
TG_MVE_LANE_BY_LANE(vqrdmulhq_s32, tg_high_multiply(x, y))
/* Only to the left, only to the right and rounded half up: what kernels ask for. */
TG_MVE_LANE_BY_LANE(vshlq_s32, (int32_t)(x *((int64_t)1 << y)))
TG_MVE_LANE_BY_LANE(vrshlq_s32, (int32_t)((x + (((int64_t)1 << -y) >> 1)) >> -y))

TG_INLINE int32x4_t vaddq_n_s32(int32x4_t a, int32_t b)
{
    return vaddq_s32(a, vdupq_n_s32(b));
}

TG_INLINE int32x4_t vqrdmulhq_n_s32(int32x4_t a, int32_t b)
{
    return vqrdmulhq_s32(a, vdupq_n_s32(b));
}

TG_INLINE int32x4_t vrshlq_n_s32(int32x4_t a, int32_t b)
{
    return vrshlq_s32(a, vdupq_n_s32(b));
}

TG_INLINE int32x4_t vshlq_n_s32(int32x4_t a, const int32_t bits)
{
    return vshlq_s32(a, vdupq_n_s32(bits));
}

TG_INLINE int32x4_t vshrq_n_s32(int32x4_t a, const int32_t bits)
{
    for (int32_t i = 0; i < 4; i++) {
        a.lane[i] >>= bits;
    }
    return a;
}

#endif
