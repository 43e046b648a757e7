/* Maps of features in memory: channels-last, (num, pixels, channels) of bfloat16 or float. */

#ifndef MAPS_H
#define MAPS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef WIDTH
#define WIDTH 16 /* channels at once: a power of two */
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float Floats __attribute__((vector_size(4 * WIDTH)));
typedef int32_t Ints __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t Words __attribute__((vector_size(4 * WIDTH)));
typedef uint16_t Halves __attribute__((vector_size(2 * WIDTH)));

INLINE Floats numbers(const float *from) {
    Floats found;
    memcpy(&found, from, sizeof found);
    return found;
}

INLINE Floats all(float value) { return (Floats){0} + value; }

INLINE Floats load(const void *map, int64_t i, int half) {
    if (!half) return numbers((const float *)map + i);
    Halves halves;
    memcpy(&halves, (const uint16_t *)map + i, sizeof halves);
    return (Floats)(__builtin_convertvector(halves, Words) << 16);
}

INLINE void store(void *map, int64_t i, Floats values, int half) {
    if (!half) {
        memcpy((float *)map + i, &values, sizeof values);
        return;
    }
    const Words bits = (Words)values;
    Words rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16; /* to the nearest, ties to even */
    const Words ordinary = (Words)(values == values);
    rounded = (rounded & ordinary) | (0x7fc0 & ~ordinary);
    const Halves halves = __builtin_convertvector(rounded, Halves);
    memcpy((uint16_t *)map + i, &halves, sizeof halves);
}

/* `yes` where v > 0, elsewhere `no` */
INLINE Floats where_positive(Floats v, Floats yes, Floats no) {
    const Ints positive = v > 0;
    return (Floats)(((Ints)yes & positive) | ((Ints)no & ~positive));
}

INLINE const void *at(const void *map, int64_t i, int half) { return (const char *)map + i * (half ? 2 : 4); }

#endif
