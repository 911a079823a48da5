/* Vectors of floats: twice as many numbers as one of doubles has. Included after `vectors.h`, whose functions stay as
   they are, it makes the names of the simple operations mean floats. */
#ifndef AUTOGRAD_MINI_SINGLES_H
#define AUTOGRAD_MINI_SINGLES_H

#include "vectors.h"

typedef float singles __attribute__((vector_size(8 * WIDE)));
typedef int32_t single_bits __attribute__((vector_size(8 * WIDE)));
typedef float loose_singles __attribute__((vector_size(8 * WIDE), aligned(4), may_alias));

#undef FUSED
#undef ROOT
#undef LESSER
#undef LARGER
#if WIDE == 8
#define FUSED(a, b, c) (singles)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define ROOT(a) (singles)_mm512_sqrt_ps((__m512)(a))
#define LESSER(a, b) (singles)_mm512_min_ps((__m512)(a), (__m512)(b))
#define LARGER(a, b) (singles)_mm512_max_ps((__m512)(a), (__m512)(b))
#define CHOSEN(where, a, b) (singles)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)(where)), (__m512)(b), (__m512)(a))
#elif WIDE == 4
#define FUSED(a, b, c) (singles)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#define ROOT(a) (singles)_mm256_sqrt_ps((__m256)(a))
#define LESSER(a, b) (singles)_mm256_min_ps((__m256)(a), (__m256)(b))
#define LARGER(a, b) (singles)_mm256_max_ps((__m256)(a), (__m256)(b))
#define CHOSEN(where, a, b) (singles)_mm256_blendv_ps((__m256)(b), (__m256)(a), (__m256)(where))
#else
#define CHOSEN(where, a, b) (singles)(((where) & (single_bits)(a)) | (~(where) & (single_bits)(b)))
#if defined(__aarch64__)
#define FUSED(a, b, c) (singles)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#define ROOT(a) (singles)vsqrtq_f32((float32x4_t)(a))
#elif defined(__SSE2__)
#define FUSED(a, b, c) ((a) * (b) + (c))
#define ROOT(a) (singles)_mm_sqrt_ps((__m128)(a))
#define LESSER(a, b) (singles)_mm_min_ps((__m128)(a), (__m128)(b))
#define LARGER(a, b) (singles)_mm_max_ps((__m128)(a), (__m128)(b))
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#define ROOT(a) single_root(a)
INLINE singles single_root(singles a) {
    for (int i = 0; i < 2 * WIDE; i++) a[i] = sqrtf(a[i]);
    return a;
}
#endif
#endif

#ifndef LESSER
#define LESSER(a, b) single_choose((a) < (b), a, b)
#define LARGER(a, b) single_choose((a) > (b), a, b)
#endif

INLINE singles single_load(const float *p) { return *(const loose_singles *)p; }
INLINE void single_store(float *p, singles a) { *(loose_singles *)p = a; }
INLINE singles single_all(float x) { return x - (singles){0}; }
INLINE singles single_madd(singles a, singles b, singles c) { return FUSED(a, b, c); }
INLINE singles single_choose(single_bits where, singles a, singles b) { return CHOSEN(where, a, b); }
INLINE singles single_one_where(single_bits where) { return (singles)(where & (single_bits)single_all(1.0f)); }
INLINE singles single_magnitude(singles a) { return (singles)((single_bits)a & INT32_MAX); }
INLINE singles single_maximum(singles a, singles b) {
    return (singles)((single_bits)LARGER(a, b) | (a != a));
}
INLINE singles single_minimum(singles a, singles b) {
    return (singles)((single_bits)LESSER(a, b) | (a != a));
}

INLINE float single_sum_of(singles a) {
#if WIDE == 8
    return _mm512_reduce_add_ps((__m512)a);
#else
    float total = a[0];
    for (int i = 1; i < 2 * WIDE; i++) total += a[i];
    return total;
#endif
}

#if WIDE >= 4
INLINE void single_four_sums(singles a, singles b, singles c, singles d, float *totals) {
#if WIDE == 8
#define HALVES(a) _mm256_add_ps(_mm512_castps512_ps256((__m512)(a)), _mm512_extractf32x8_ps((__m512)(a), 1))
#else
#define HALVES(a) (__m256)(a)
#endif
    __m256 ab = _mm256_hadd_ps(HALVES(a), HALVES(b)), cd = _mm256_hadd_ps(HALVES(c), HALVES(d));
    __m256 both = _mm256_hadd_ps(ab, cd);
    _mm_storeu_ps(totals, _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps(both, 1)));
#undef HALVES
}
#else
INLINE void single_four_sums(singles a, singles b, singles c, singles d, float *totals) {
    totals[0] = single_sum_of(a), totals[1] = single_sum_of(b), totals[2] = single_sum_of(c);
    totals[3] = single_sum_of(d);
}
#endif

#undef VW
#define VW (2 * WIDE)
#define vec singles
#define ivec single_bits
#define load single_load
#define store single_store
#define all single_all
#define madd single_madd
#define choose single_choose
#define one_where single_one_where
#define magnitude single_magnitude
#define sum_of single_sum_of
#define four_sums single_four_sums
#define v_maximum single_maximum
#define v_minimum single_minimum

#endif
