/* What stands beside a map, each once for so many draws, and with dropout: see joined.py. */

#include "maps.h"

typedef struct {
    int64_t num, pixels, channels; /* of what stands beside; num is without its repetitions */
    int64_t stride;                /* channels of the joined map */
    int64_t draws;
    uint32_t dropped; /* numbers below this, of 2^32, are dropped; 0: no dropout */
    uint32_t seed[2];
} Beside;

/* An integer hash with little bias: the mixer lowbias32 of C. Wellons, "Prospecting for hash functions", 2018. */
INLINE Words mixed(Words x) {
    x ^= x >> 16;
    x *= 0x7feb352d;
    x ^= x >> 15;
    x *= 0x846ca68b;
    return x ^ x >> 16;
}

/* 1 / (1 - p) for numbers that are kept, 0 for those that are dropped: a function of the seed and the place. */
INLINE Floats kept(const Beside *s, int64_t place, Words lanes) {
    const Words drawn = mixed(mixed(((uint32_t)place + lanes) ^ s->seed[0]) ^ s->seed[1]);
    const Ints keep = (Ints)(drawn >= s->dropped);
    return (Floats)((Ints)all(1 / (1 - s->dropped / 4294967296.0f)) & keep);
}

INLINE Words lanes(void) {
    Words found;
    for (int k = 0; k < WIDTH; k++) found[k] = k;
    return found;
}

INLINE void join(const Beside *s, const void *beside, void *y, int half) {
    const int64_t P = s->pixels, C = s->channels, size = half ? 2 : 4;
    const Words k = lanes();
#pragma omp parallel for
    for (int64_t n = 0; n < s->num * s->draws; n++)
        for (int64_t p = 0; p < P; p++) {
            const void *from = at(beside, (n / s->draws * P + p) * C, half);
            void *to = (void *)at(y, (n * P + p) * s->stride, half);
            if (!s->dropped) memcpy(to, from, C * size);
            for (int64_t c = 0; c < C && s->dropped; c += WIDTH)
                store(to, c, load(from, c, half) * kept(s, (n * P + p) * C + c, k), half);
        }
}

INLINE void split(const Beside *s, const void *g, void *d_beside, int half) {
    const int64_t P = s->pixels, C = s->channels, size = half ? 2 : 4;
    const Words k = lanes();
#pragma omp parallel for
    for (int64_t i = 0; i < s->num; i++)
        for (int64_t p = 0; p < P; p++) {
            void *to = (void *)at(d_beside, (i * P + p) * C, half);
            const void *from = at(g, (i * s->draws * P + p) * s->stride, half);
            if (!s->dropped && s->draws == 1) {
                memcpy(to, from, C * size);
                continue;
            }
            for (int64_t c = 0; c < C; c += WIDTH) {
                Floats sum = all(0);
                for (int64_t n = i * s->draws; n < (i + 1) * s->draws; n++) {
                    const Floats d = load(at(g, (n * P + p) * s->stride, half), c, half);
                    sum += s->dropped ? d * kept(s, (n * P + p) * C + c, k) : d;
                }
                store(to, c, sum, half);
            }
        }
}

void join_float(const Beside *s, const void *beside, void *y) { join(s, beside, y, 0); }
void join_bfloat16(const Beside *s, const void *beside, void *y) { join(s, beside, y, 1); }
void split_float(const Beside *s, const void *g, void *d_beside) { split(s, g, d_beside, 0); }
void split_bfloat16(const Beside *s, const void *g, void *d_beside) { split(s, g, d_beside, 1); }
