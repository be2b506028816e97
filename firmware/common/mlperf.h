/* The text protocol of MLPerf Tiny's runner: commands that end with a percent sign, answers that end with m-ready. */
#ifndef TINYGEN_MLPERF_H
#define TINYGEN_MLPERF_H

/* What a host sends for an input, TG_MLPERF_INPUT of tinygen_model.h. */
#define TG_MLPERF_RAW 0     /* the model's own bytes */
#define TG_MLPERF_UINT8 1   /* bytes that are 128 above the model's int8 */
#define TG_MLPERF_FLOAT32 2 /* real numbers, for the firmware to quantize */

/* What the results are, TG_MLPERF_RESULT of tinygen_model.h. */
#define TG_MLPERF_OUTPUTS 0 /* the outputs as real numbers */
#define TG_MLPERF_ERROR 1   /* their mean squared difference from the input */

void tg_mlperf_init(void);
void tg_mlperf_answer(const char *command);
void tg_mlperf_overlong(void);

#endif
