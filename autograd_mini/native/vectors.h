/* Vectors of doubles, as wide as the instruction set has them, and the functions of `xp` on them.

   The functions are without branches: what holds for special numbers is selected at the end. Polynomials were fitted
   with 60 digits; the logarithm, sine and cosine are those of FreeBSD's msun (Sun Microsystems, 1993). Compiled without
   contraction: where a product and a sum are one instruction, `madd` says so. */
#ifndef AUTOGRAD_MINI_VECTORS_H
#define AUTOGRAD_MINI_VECTORS_H

#include <math.h>
#if defined(LOGARITHMS_OF_WINDOWS) /* zig takes its own, which are wrong where the number is subnormal */
extern double (*__imp_log2)(double), (*__imp_log10)(double);
#define log2 __imp_log2
#define log10 __imp_log10
#endif
#include <stdint.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
#define VW 8
#define FUSED(a, b, c) (vec)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c))
#define ROOT(a) (vec)_mm512_sqrt_pd((__m512d)(a))
#define WHOLE(a) (vec)_mm512_roundscale_pd((__m512d)(a), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define LESSER(a, b) (vec)_mm512_min_pd((__m512d)(a), (__m512d)(b)) /* b where one is nan */
#define LARGER(a, b) (vec)_mm512_max_pd((__m512d)(a), (__m512d)(b))
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define VW 4
#define FUSED(a, b, c) (vec)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c))
#define ROOT(a) (vec)_mm256_sqrt_pd((__m256d)(a))
#define WHOLE(a) (vec)_mm256_round_pd((__m256d)(a), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define LESSER(a, b) (vec)_mm256_min_pd((__m256d)(a), (__m256d)(b))
#define LARGER(a, b) (vec)_mm256_max_pd((__m256d)(a), (__m256d)(b))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define VW 2
#define FUSED(a, b, c) (vec)vfmaq_f64((float64x2_t)(c), (float64x2_t)(a), (float64x2_t)(b))
#define ROOT(a) (vec)vsqrtq_f64((float64x2_t)(a))
#define WHOLE(a) (vec)vrndnq_f64((float64x2_t)(a))
#elif defined(__SSE2__)
#include <emmintrin.h>
#define VW 2
#define FUSED(a, b, c) ((a) * (b) + (c))
#define ROOT(a) (vec)_mm_sqrt_pd((__m128d)(a))
#define LESSER(a, b) (vec)_mm_min_pd((__m128d)(a), (__m128d)(b))
#define LARGER(a, b) (vec)_mm_max_pd((__m128d)(a), (__m128d)(b))
#else
#define VW 2
#define FUSED(a, b, c) ((a) * (b) + (c))
#define ROOT(a) lanewise(sqrt, a)
#endif

#ifndef LESSER
#define LESSER(a, b) choose((a) < (b), a, b)
#define LARGER(a, b) choose((a) > (b), a, b)
#endif

typedef double vec __attribute__((vector_size(8 * VW)));
typedef int64_t ivec __attribute__((vector_size(8 * VW)));
typedef uint64_t uvec __attribute__((vector_size(8 * VW))); /* for sums that may overflow: numbers' bits */
typedef double loose __attribute__((vector_size(8 * VW), aligned(8), may_alias));
typedef vec wide; /* of doubles, also where the numbers are floats */
#if VW == 8
#define WIDE 8
#elif VW == 4
#define WIDE 4
#else
#define WIDE 2
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const double *p) { return *(const loose *)p; }
INLINE void store(double *p, vec a) { *(loose *)p = a; }
/* As many numbers as doubles, and back: rounded once. */
#ifdef SINGLE
typedef float few_singles __attribute__((vector_size(4 * WIDE)));
typedef float loose_few __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));
INLINE wide load_wide(const float *p) { return __builtin_convertvector((few_singles) * (const loose_few *)p, wide); }
INLINE void store_wide(float *p, wide a) { *(loose_few *)p = __builtin_convertvector(a, few_singles); }
#else
INLINE wide load_wide(const double *p) { return load(p); }
INLINE void store_wide(double *p, wide a) { store(p, a); }
#endif
INLINE vec all(double x) { return x - (vec){0}; } /* x - 0 is x, also where x is -0 */
INLINE vec madd(vec a, vec b, vec c) { return FUSED(a, b, c); }
INLINE vec nmadd(vec a, vec b, vec c) { return FUSED(-a, b, c); } /* c - ab */
INLINE ivec bits(vec a) { return (ivec)a; }
INLINE ivec plus(ivec a, ivec b) { return (ivec)((uvec)a + (uvec)b); }
INLINE ivec minus(ivec a, ivec b) { return (ivec)((uvec)a - (uvec)b); }
INLINE ivec left(ivec a, int by) { return (ivec)((uvec)a << by); }
INLINE ivec every(int64_t x) { return x - (ivec){0}; }
#if VW == 8
INLINE vec choose(ivec where, vec a, vec b) {
    return (vec)_mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)where), (__m512d)b, (__m512d)a);
}
#elif VW == 4
INLINE vec choose(ivec where, vec a, vec b) {
    return (vec)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)where);
}
#else
INLINE vec choose(ivec where, vec a, vec b) { return (vec)((where & (ivec)a) | (~where & (ivec)b)); }
#endif
INLINE vec one_where(ivec where) { return (vec)(where & bits(all(1.0))); }
INLINE vec magnitude(vec a) { return (vec)(bits(a) & INT64_MAX); }
INLINE vec with_sign_of(vec size, vec a) { return (vec)((bits(size) & INT64_MAX) | (bits(a) & INT64_MIN)); }

INLINE double sum_of(vec a) {
#if VW == 8
    return _mm512_reduce_add_pd((__m512d)a);
#else
    double total = a[0];
    for (int i = 1; i < VW; i++) total += a[i];
    return total;
#endif
}

/* The sums of four vectors. */
#if VW >= 4
INLINE void four_sums(vec a, vec b, vec c, vec d, double *totals) {
#if VW == 8
#define HALVES(a) _mm256_add_pd(_mm512_castpd512_pd256((__m512d)(a)), _mm512_extractf64x4_pd((__m512d)(a), 1))
#else
#define HALVES(a) (__m256d)(a)
#endif
    __m256d ab = _mm256_hadd_pd(HALVES(a), HALVES(b)), cd = _mm256_hadd_pd(HALVES(c), HALVES(d));
    __m256d crossed = _mm256_permute2f128_pd(ab, cd, 0x21), straight = _mm256_blend_pd(ab, cd, 0xc);
    _mm256_storeu_pd(totals, _mm256_add_pd(crossed, straight));
#undef HALVES
}
#else
INLINE void four_sums(vec a, vec b, vec c, vec d, double *totals) {
    totals[0] = sum_of(a), totals[1] = sum_of(b), totals[2] = sum_of(c), totals[3] = sum_of(d);
}
#endif

/* The numbers of a square of VW rows, turned: column c becomes row c. */
#if VW == 8
#define TURNED
INLINE void turn(vec *r) {
#define LOW(a, b) _mm512_unpacklo_pd((__m512d)(a), (__m512d)(b))
#define HIGH(a, b) _mm512_unpackhi_pd((__m512d)(a), (__m512d)(b))
#define EVEN(a, b) _mm512_shuffle_f64x2(a, b, 0x88) /* every other pair of numbers */
#define ODD(a, b) _mm512_shuffle_f64x2(a, b, 0xdd)
#define COLUMNS(c, PART)                                                                                               \
    {                                                                                                                  \
        const __m512d even1 = EVEN(PART(r[0], r[1]), PART(r[2], r[3])), even2 = EVEN(PART(r[4], r[5]), PART(r[6], r[7])); \
        const __m512d odd1 = ODD(PART(r[0], r[1]), PART(r[2], r[3])), odd2 = ODD(PART(r[4], r[5]), PART(r[6], r[7]));  \
        turned[c] = (vec)EVEN(even1, even2), turned[c + 4] = (vec)ODD(even1, even2);                                   \
        turned[c + 2] = (vec)EVEN(odd1, odd2), turned[c + 6] = (vec)ODD(odd1, odd2);                                   \
    }
    vec turned[8];
    COLUMNS(0, LOW)
    COLUMNS(1, HIGH)
    for (int i = 0; i < 8; i++) r[i] = turned[i];
}
#elif VW == 4
#define TURNED
INLINE void turn(vec *r) {
    const __m256d even1 = _mm256_unpacklo_pd((__m256d)r[0], (__m256d)r[1]);
    const __m256d odd1 = _mm256_unpackhi_pd((__m256d)r[0], (__m256d)r[1]);
    const __m256d even2 = _mm256_unpacklo_pd((__m256d)r[2], (__m256d)r[3]);
    const __m256d odd2 = _mm256_unpackhi_pd((__m256d)r[2], (__m256d)r[3]);
    r[0] = (vec)_mm256_permute2f128_pd(even1, even2, 0x20), r[2] = (vec)_mm256_permute2f128_pd(even1, even2, 0x31);
    r[1] = (vec)_mm256_permute2f128_pd(odd1, odd2, 0x20), r[3] = (vec)_mm256_permute2f128_pd(odd1, odd2, 0x31);
}
#endif

#define LANEWISE(name, function)                                                                                       \
    static vec name(vec a) {                                                                                           \
        vec r = a;                                                                                                      \
        for (int i = 0; i < VW; i++) r[i] = function(a[i]);                                                            \
        return r;                                                                                                      \
    }
#define LANEWISE_OF_TWO(name, function)                                                                                \
    static vec name(vec a, vec b) {                                                                                    \
        vec r = a;                                                                                                      \
        for (int i = 0; i < VW; i++) r[i] = function(a[i], b[i]);                                                      \
        return r;                                                                                                      \
    }
LANEWISE(v_log2, log2)
LANEWISE(v_log10, log10)
LANEWISE(v_cbrt, cbrt)
LANEWISE(v_tan, tan)
LANEWISE(v_asin, asin)
LANEWISE(v_acos, acos)
LANEWISE(v_atan, atan)
LANEWISE(v_sinh, sinh)
LANEWISE(v_cosh, cosh)
LANEWISE(v_erfc, erfc)
LANEWISE(far_sin, sin)
LANEWISE(far_cos, cos)
LANEWISE_OF_TWO(v_pow, pow)
LANEWISE_OF_TWO(v_hypot, hypot)
LANEWISE_OF_TWO(v_atan2, atan2)

/* Of 0 and -0 the last, and nan where any is nan. */
INLINE vec v_maximum(vec a, vec b) { return (vec)(bits(LARGER(a, b)) | (a != a)); }
INLINE vec v_minimum(vec a, vec b) { return (vec)(bits(LESSER(a, b)) | (a != a)); }
INLINE vec v_sign(vec a) { return choose(a != a, a, choose(a == 0.0, all(0.0), with_sign_of(all(1.0), a))); }

INLINE vec v_rint(vec a) {
#ifdef WHOLE
    return WHOLE(a);
#else
    vec size = magnitude(a), whole = all(0x1p52);
    return choose(size < whole, with_sign_of((size + whole) - whole, a), a);
#endif
}

#define LOG2_E 1.44269504088896338700e+00
#define LN2_HIGH 6.93147180369123816490e-01 /* so few bits that a product with an exponent is exact */
#define LN2_LOW 1.90821492927058770002e-10
#define SHIFT 0x1.8p52 /* + SHIFT - SHIFT rounds to a whole number, which is in the last bits meanwhile */

/* x, but not beyond two numbers; nan stays. */
INLINE vec clipped(vec x, double least, double most) { return LARGER(all(least), LESSER(all(most), x)); }

/* x = n·ln 2 + r, with |r| at most ln 2 / 2; returns expm1(r), and n + SHIFT. */
INLINE vec reduced_expm1(vec x, vec *shifted) {
    *shifted = madd(x, all(LOG2_E), all(SHIFT));
    vec n = *shifted - SHIFT;
    vec r = nmadd(n, all(LN2_LOW), nmadd(n, all(LN2_HIGH), x));
    vec r2 = r * r, r4 = r2 * r2;
    vec low = madd(r, all(0x1.5555555555557p-3), all(0x1p-1));
    vec p = madd(r2, madd(r, all(0x1.11111111100bep-7), all(0x1.5555555555556p-5)), low);
    vec q = madd(r, all(0x1.a01a01abf85abp-13), all(0x1.6c16c16c162c3p-10));
    q = madd(r2, madd(r, all(0x1.71de01fdbf9cap-19), all(0x1.a01a01a6e1e2ap-16)), q);
    vec s = madd(r, all(0x1.af4e554377204p-26), all(0x1.27e4db46cddd1p-22));
    s = madd(r2, all(0x1.1f7340dbc337ep-29), s);
    q = madd(r4, s, q);
    return madd(r2, madd(r4, q, p), r);
}

/* 2ⁿ of n + SHIFT, for n from -1022 to 1023: the last bits of SHIFT are 0, so that those of n are shifted alone. */
INLINE vec power_of_two(vec shifted) { return (vec)plus(left(bits(shifted), 52), bits(all(1.0))); }

/* a·2ⁿ for n from -1077 to 1025, in two steps, so that the result may be subnormal or infinite. */
INLINE vec scaled(vec a, vec shifted) {
#if VW == 8
    return (vec)_mm512_scalef_pd((__m512d)a, (__m512d)(shifted - SHIFT));
#else
    vec half = madd(shifted - SHIFT, all(0.5), all(SHIFT));
    vec first = (vec)plus(bits(a), left(minus(bits(shifted), bits(half)), 52));
    return first * power_of_two(half);
#endif
}

INLINE vec v_exp(vec x) {
    vec shifted = {0}, r = reduced_expm1(clipped(x, -746.0, 710.0), &shifted);
    return scaled(r + 1.0, shifted);
}

INLINE vec v_expm1(vec x) {
    vec shifted = {0}, r = reduced_expm1(clipped(x, -45.0, 710.0), &shifted);
    vec one = choose(shifted < SHIFT + 60.0, power_of_two(2.0 * SHIFT - shifted), all(0.0)); /* 2⁻ⁿ */
    return choose(x == 0.0, x, scaled(r + (1.0 - one), shifted));
}

/* log(1 + f) + k·ln 2, for 1 + f from √½ to √2. */
INLINE vec log_of(vec f, vec k) {
    vec s = f / (2.0 + f), z = s * s, w = z * z;
    vec even = w * madd(w, madd(w, all(1.531383769920937332e-01), all(2.222219843214978396e-01)),
                        all(3.999999999940941908e-01));
    vec odd = z * madd(w, madd(w, madd(w, all(1.479819860511658591e-01), all(1.818357216161805012e-01)),
                               all(2.857142874366239149e-01)), all(6.666666666666735130e-01));
    vec half = 0.5 * f * f;
    vec inner = madd(s, half + (even + odd), k * LN2_LOW);
    return madd(k, all(LN2_HIGH), f - (half - inner));
}

#define ROOT_HALF INT64_C(0x3fe6a09e667f3bcd) /* its bits */

/* The bits of a normal positive number, so that those of its exponent say by which power of two it is from √½ to √2. */
INLINE ivec raised(vec a) { return plus(bits(a), minus(bits(all(1.0)), every(ROOT_HALF))); }
INLINE vec mantissa_of(ivec raised) { return (vec)plus(raised & INT64_C(0xfffffffffffff), every(ROOT_HALF)); }
INLINE vec exponent_of(ivec raised) {
    return (vec)((ivec)((uvec)raised >> 52) | bits(all(0x1p52))) - (0x1p52 + 1023.0);
}

INLINE vec special_log(vec x, vec least, vec found) { /* of x, where log is -inf at `least` */
    ivec above = x > least;
    vec other = choose(x == least, all(-INFINITY), choose(above, x, all(NAN)));
    return choose(above & (x < INFINITY), found, other);
}

INLINE vec v_log(vec x) {
    ivec tiny = x < 0x1p-1022;
    ivec a = raised(choose(tiny, x * 0x1p54, x));
    vec k = exponent_of(a) - (vec)(tiny & bits(all(54.0)));
    return special_log(x, all(0.0), log_of(mantissa_of(a) - 1.0, k));
}

/* (1 + x)·2⁻ᵏ - 1 is rounded once. */
INLINE vec v_log1p(vec x) {
    ivec a = raised(1.0 + x);
    vec power = (vec)minus(left(every(2046), 52), a & INT64_C(0x7ff0000000000000)); /* 2⁻ᵏ */
    vec f = choose(x < 0x1p60, madd(x, power, power - 1.0), mantissa_of(a) - 1.0);
    return special_log(x, all(-1.0), choose(x == 0.0, x, log_of(f, exponent_of(a))));
}

INLINE vec v_tanh(vec x) {
    vec shifted = {0}, r = reduced_expm1(-2.0 * LESSER(all(22.0), magnitude(x)), &shifted);
    vec power = power_of_two(shifted), t = madd(r, power, power - 1.0); /* expm1(-2|x|) */
    return with_sign_of(t / (t + 2.0), x);
}

INLINE vec v_sigmoid(vec x) {
    vec shifted = {0}, r = reduced_expm1(LARGER(all(-746.0), -magnitude(x)), &shifted);
    vec e = scaled(r + 1.0, shifted);
    return choose(x >= 0.0, all(1.0), e) / (1.0 + e);
}

/* Up to 1 a polynomial in x²; then 1 - exp(-x²)·erfcx(x), which is a polynomial in (x - 3)/(x + 3). */
INLINE vec v_erf(vec x) {
    static const double NEAR[] = {
        0x1.20dd750429b6dp+0, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b30p-4, -0x1.b82ce31284e00p-6,
        0x1.565bcd0dbaa38p-8, -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
        0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27, -0x1.389d4f2641625p-30,
        0x1.05ffd737fb32ep-34,
    };
    static const double FAR[] = {
        0x1.6e9827d229d2dp-3, -0x1.4e102b9cf8513p-2, 0x1.f6ff204105a04p-3, -0x1.336ffbef08b8ap-3,
        0x1.258b13b00ec66p-4, -0x1.8fa58eb5ea92cp-6, 0x1.17c839090a469p-8, 0x1.73101f6d2e434p-11,
        -0x1.39085f2b38287p-11, 0x1.7b9ef7977ceafp-15, 0x1.0cb2e63fe2177p-14, -0x1.af086905fc57fp-17,
        -0x1.0cc37e8e915adp-17, 0x1.0e3fb74fdc507p-19, 0x1.56695202d55bcp-20, 0x1.d0badb83f2cadp-29,
    };
    vec size = magnitude(x), square = x * x;
    vec near = all(NEAR[12]), far = all(FAR[15]);
    for (int i = 11; i >= 0; i--) near = madd(near, square, all(NEAR[i]));
    vec a = LESSER(all(6.0), size), t = (a - 3.0) / (a + 3.0);
    for (int i = 14; i >= 0; i--) far = madd(far, t, all(FAR[i]));
    vec shifted = {0}, e = reduced_expm1(-a * a, &shifted) + 1.0;
    return with_sign_of(choose(size <= 1.0, size * near, nmadd(e * power_of_two(shifted), far, all(1.0))), x);
}

#define FAR_AWAY 0x1p19 /* from here on the reduction needs more digits of π, which the C library has */

/* sin (quarter = 0) or cos (quarter = 1), for |x| up to FAR_AWAY. */
INLINE vec sine(vec x, int64_t quarter) {
    vec shifted = madd(x, all(6.36619772367581382433e-01), all(SHIFT)), n = shifted - SHIFT;
    ivec q = plus(minus(bits(shifted), bits(all(SHIFT))), every(quarter));
    vec t = x - n * 1.57079632673412561417e+00;
    vec w = n * 6.07710050630396597660e-11, r = t - w;
    vec second = n * 2.02226624879595063154e-21, lost = second - ((t - r) - w);
    vec a = r - lost;
    vec b = (r - a) - lost; /* x - n·π/2 = a + b */
    vec z = a * a;
    vec s = madd(z, madd(z, madd(z, madd(z, all(1.58969099521155010221e-10), all(-2.50507602534068634195e-08)),
                                 all(2.75573137070700676789e-06)), all(-1.98412698298579493134e-04)),
                 all(8.33333333332248946124e-03));
    vec cube = z * a;
    vec of_sin = a - ((z * (0.5 * b - cube * s) - b) - cube * -1.66666666666666324348e-01);
    vec c = z * madd(z, madd(z, madd(z, madd(z, madd(z, all(-1.13596475577881948265e-11),
                                                     all(2.08757232129817482790e-09)),
                                             all(-2.75573143513906633035e-07)), all(2.48015872894767294178e-05)),
                             all(-1.38888888888741095749e-03)), all(4.16666666666666019037e-02));
    vec half = 0.5 * z, rest = 1.0 - half;
    vec of_cos = rest + (((1.0 - rest) - half) + (z * c - a * b));
    vec r1 = choose((q & 1) != 0, of_cos, of_sin);
    r1 = (vec)(bits(r1) ^ (left(q, 62) & INT64_MIN));
    return quarter ? r1 : choose(x == 0.0, x, r1);
}

#endif
