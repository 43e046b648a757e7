/* Normalisation, scale and shift by a style, noise, leaky ReLU, and their gradients: activated.py has the
 * equations. Channels of maps are a multiple of WIDTH; all but maps is float.
 */

#include "maps.h"

enum { NONE, IMAGE, BATCH, KNOWN }; /* what is normalised over: see activated.py */

typedef struct {
    int64_t num, pixels, channels, groups, over;
    int64_t stride; /* channels of the map that the output, and its gradient, is the first part of */
    float eps, slope, momentum;
} Shape;

/* Mean and sum of squared deviations of each channel of one image. */
INLINE void moments(const void *h, int64_t P, int64_t C, float *mean, float *squares, int half) {
    for (int64_t c = 0; c < C; c += WIDTH) {
        const Floats first = load(h, c, half); /* what deviates from it is small */
        Floats sum = all(0), square = all(0);
        for (int64_t p = 0; p < P; p++) {
            const Floats d = load(h, p * C + c, half) - first;
            sum += d;
            square += d * d;
        }
        square -= sum * sum / (float)P;
        sum = first + sum / (float)P;
        memcpy(mean + c, &sum, sizeof sum);
        memcpy(squares + c, &square, sizeof square);
    }
}

/* Those of several sets of so many pixels together: mean, and variance in place of squares. */
INLINE void together(int64_t pixels, float *mean, float *squares, int64_t sets, int64_t stride) {
    double m = 0, q = 0;
    for (int64_t i = 0; i < sets; i++) m += mean[i * stride];
    m /= sets;
    for (int64_t i = 0; i < sets; i++) {
        const double d = mean[i * stride] - m;
        q += squares[i * stride] + pixels * d * d;
    }
    mean[0] = m;
    squares[0] = fmax(q, 0) / (sets * pixels);
}

INLINE void activate(
    const void *h, int64_t P, int64_t C, int64_t stride, const float *a, const float *b, const float *noise,
    const float *strength, float slope, void *y, int half) {
    for (int64_t p = 0; p < P; p++)
        for (int64_t c = 0; c < C; c += WIDTH) {
            Floats v = load(h, p * C + c, half) * numbers(a + c) + numbers(b + c);
            if (noise) v += numbers(strength + c) * noise[p];
            store(y, p * stride + c, where_positive(v, v, v * slope), half);
        }
}

INLINE void forward(
    const Shape *s, const void *h, const float *weight, const float *bias, const float *style, const float *noise,
    const float *strength, float *mean, float *rstd, float *A, float *B, float *running_mean, float *running_var,
    void *y, int half) {
    const int64_t N = s->num, P = s->pixels, C = s->channels, in_group = s->groups ? C / s->groups : C;
    if (s->over == IMAGE || s->over == BATCH) {
#pragma omp parallel for
        for (int64_t n = 0; n < N; n++) {
            float *m = mean + n * C, *q = rstd + n * C;
            moments(at(h, n * P * C, half), P, C, m, q, half);
            for (int64_t c = 0; c < C && s->over == IMAGE; c += in_group) {
                together(P, m + c, q + c, in_group, 1);
                const float scale = 1 / sqrtf(q[c] + s->eps);
                for (int64_t k = 0; k < in_group; k++) m[c + k] = m[c], q[c + k] = scale;
            }
        }
    }
    for (int64_t c = 0; c < C && (s->over == BATCH || s->over == KNOWN); c++) {
        if (s->over == BATCH) together(P, mean + c, rstd + c, N, C);
        if (s->over == BATCH && running_mean) {
            const float unbiased = rstd[c] * (N * P) / (N * P - 1);
            running_mean[c] += s->momentum * (mean[c] - running_mean[c]);
            running_var[c] += s->momentum * (unbiased - running_var[c]);
        }
        if (s->over == KNOWN) mean[c] = running_mean[c], rstd[c] = running_var[c];
        rstd[c] = 1 / sqrtf(rstd[c] + s->eps);
    }
#pragma omp parallel for
    for (int64_t n = 0; n < N; n++) {
        float *a = A + n * C, *b = B + n * C;
        const float *m = mean + (s->over == IMAGE ? n * C : 0), *r = rstd + (s->over == IMAGE ? n * C : 0);
        for (int64_t c = 0; c < C; c++) {
            const float factor = style ? 1 + style[n * 2 * C + c] : 1, shift = style ? style[n * 2 * C + C + c] : 0;
            a[c] = s->over == NONE ? factor : factor * weight[c] * r[c];
            b[c] = shift + (bias ? factor * bias[c] : 0) - (s->over == NONE ? 0 : m[c] * a[c]);
        }
        activate(at(h, n * P * C, half), P, C, s->stride, a, b, noise ? noise + n * P : 0, strength, s->slope,
                 (void *)at(y, n * P * s->stride, half), half);
    }
}

/* Sums over the pixels of one image: of the gradient by v, of its product with what deviates from the mean, and
 * of its product with the noise.
 */
INLINE void sums(
    const void *g, const void *h, int64_t P, int64_t C, int64_t stride, const float *a, const float *b,
    const float *mean, const float *noise, const float *strength, float slope, float *found[3], int half) {
    for (int64_t c = 0; c < C; c += WIDTH) {
        const Floats scale = numbers(a + c), shift = numbers(b + c), m = mean ? numbers(mean + c) : all(0);
        const Floats strong = noise ? numbers(strength + c) : all(0);
        Floats sum[3] = {all(0), all(0), all(0)};
        for (int64_t p = 0; p < P; p++) {
            const Floats x = load(h, p * C + c, half), dy = load(g, p * stride + c, half);
            Floats v = x * scale + shift;
            if (noise) v += strong * noise[p];
            const Floats d = where_positive(v, dy, dy * slope);
            sum[0] += d;
            sum[1] += d * (x - m);
            if (noise) sum[2] += d * noise[p];
        }
        for (int i = 0; i < (noise ? 3 : 2); i++) memcpy(found[i] + c, &sum[i], sizeof sum[i]);
    }
}

/* h's gradient, of one image: a * that by v + e + f * h */
INLINE void gradient(
    const void *g, const void *h, int64_t P, int64_t C, int64_t stride, const float *a, const float *b,
    const float *e, const float *f, const float *noise, const float *strength, float slope, void *dh, int half) {
    for (int64_t p = 0; p < P; p++)
        for (int64_t c = 0; c < C; c += WIDTH) {
            const Floats x = load(h, p * C + c, half), scale = numbers(a + c);
            Floats v = x * scale + numbers(b + c);
            if (noise) v += numbers(strength + c) * noise[p];
            const Floats d = scale * load(g, p * stride + c, half);
            store(dh, p * C + c, where_positive(v, d, d * slope) + numbers(e + c) + numbers(f + c) * x, half);
        }
}

/* `space` is for 5 num channels numbers. */
INLINE void backward(
    const Shape *s, const void *g, const void *h, const float *weight, const float *bias, const float *style,
    const float *noise, const float *strength, const float *mean, const float *rstd, const float *A, const float *B,
    float *d_weight, float *d_bias, float *d_style, float *d_strength, void *dh, float *space, int half) {
    const int64_t N = s->num, P = s->pixels, C = s->channels, in_group = s->groups ? C / s->groups : C;
    float *g1 = space, *g2 = g1 + N * C, *g3 = g2 + N * C, *E = g3 + N * C, *F = E + N * C;
    memset(E, 0, 2 * N * C * sizeof *E);
#define ROW(of) ((of) + (s->over == IMAGE ? n * C : 0))
#pragma omp parallel for
    for (int64_t n = 0; n < N; n++) {
        float *found[3] = {g1 + n * C, g2 + n * C, g3 + n * C};
        sums(at(g, n * P * s->stride, half), at(h, n * P * C, half), P, C, s->stride, A + n * C, B + n * C,
             s->over == NONE ? 0 : ROW(mean), noise ? noise + n * P : 0, strength, s->slope, found, half);
    }
    for (int64_t c = 0; c < C; c++) { /* in this order whatever the number of threads */
        double w = 0, b = 0, strong = 0;
        for (int64_t n = 0; n < N; n++) {
            const float factor = style ? 1 + style[n * 2 * C + c] : 1;
            w += s->over == NONE ? 0 : factor * g2[n * C + c] * ROW(rstd)[c];
            b += factor * g1[n * C + c];
            strong += noise ? g3[n * C + c] : 0;
        }
        if (d_weight) d_weight[c] = w;
        if (d_bias) d_bias[c] = b;
        if (d_strength) d_strength[c] = strong;
        for (int64_t n = 0; n < N && s->over == BATCH; n++) {
            const double r = rstd[c], c1 = weight[c] * b / (N * P), c2 = weight[c] * w / (N * P);
            F[n * C + c] = -r * r * c2;
            E[n * C + c] = -r * c1 + mean[c] * r * r * c2;
        }
    }
#pragma omp parallel for
    for (int64_t n = 0; n < N; n++) {
        float *e = E + n * C, *f = F + n * C;
        for (int64_t c = 0; c < C && d_style; c++) {
            d_style[n * 2 * C + c] = weight[c] * g2[n * C + c] * ROW(rstd)[c] + bias[c] * g1[n * C + c];
            d_style[n * 2 * C + C + c] = g1[n * C + c];
        }
        for (int64_t c = 0; c < C && s->over == IMAGE; c += in_group) {
            double c1 = 0, c2 = 0, r = ROW(rstd)[c];
            for (int64_t k = c; k < c + in_group; k++) {
                const double factor = weight[k] * (style ? 1 + style[n * 2 * C + k] : 1);
                c1 += factor * g1[n * C + k] / (P * in_group);
                c2 += factor * g2[n * C + k] * r / (P * in_group);
            }
            for (int64_t k = c; k < c + in_group; k++) {
                f[k] = -r * r * c2;
                e[k] = -r * c1 + ROW(mean)[c] * r * r * c2;
            }
        }
        gradient(at(g, n * P * s->stride, half), at(h, n * P * C, half), P, C, s->stride, A + n * C, B + n * C, e, f,
                 noise ? noise + n * P : 0, strength, s->slope, (void *)at(dh, n * P * C, half), half);
    }
}

#define FORWARD(name, half)                                                                                        \
    void name(const Shape *s, const void *h, const float *weight, const float *bias, const float *style,           \
              const float *noise, const float *strength, float *mean, float *rstd, float *A, float *B,             \
              float *running_mean, float *running_var, void *y) {                                                  \
        forward(s, h, weight, bias, style, noise, strength, mean, rstd, A, B, running_mean, running_var, y, half); \
    }
#define BACKWARD(name, half)                                                                                       \
    void name(const Shape *s, const void *g, const void *h, const float *weight, const float *bias,                \
              const float *style, const float *noise, const float *strength, const float *mean, const float *rstd, \
              const float *A, const float *B, float *d_weight, float *d_bias, float *d_style, float *d_strength,   \
              void *dh, float *space) {                                                                            \
        backward(s, g, h, weight, bias, style, noise, strength, mean, rstd, A, B, d_weight, d_bias, d_style,       \
                 d_strength, dh, space, half);                                                                     \
    }

FORWARD(forward_float, 0)
FORWARD(forward_bfloat16, 1)
BACKWARD(backward_float, 0)
BACKWARD(backward_bfloat16, 1)
