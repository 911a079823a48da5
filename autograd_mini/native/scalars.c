/* Runs a straight-line program on single numbers, for functions without a batch: no arrays, no blocks, the functions of
   the C library. Instruction k computes number `first + k`, and reads numbers before that one alone. */
#include <math.h>

#include "machine.h"

#if defined(_WIN32)
#define SHOWN __declspec(dllexport)
#else
#define SHOWN __attribute__((visibility("default")))
#endif

static const int64_t OPERANDS[] = {
#define COUNT(name, operands) operands,
    FUNCTIONS(COUNT)
#undef COUNT
};

static int64_t results_of(const int64_t *table) { return table[S_VALUES] + table[S_GRADIENT]; }
static int64_t first_of(const int64_t *table) { return table[S_LEAVES] + results_of(table) + table[S_CONSTANTS]; }

/* How many doubles the numbers of a table are. */
SHOWN int64_t autograd_mini_scalars_size(const int64_t *table) { return first_of(table) + table[S_INSTRUCTIONS]; }

/* 0 for a table that may run; else 1 + the word at which it is none. */
SHOWN int64_t autograd_mini_scalars_check(const int64_t *table, int64_t length) {
    if (length < S_HEAD || length > 1 << 28 || table[S_MAGIC] != SCALARS_MAGIC || table[S_LENGTH] != length) return 1;
    for (int k = S_LEAVES; k < S_HEAD; k++)
        if (table[k] < 0 || table[k] > length + (1 << 28)) return 1 + k;
    if (table[S_VALUES] < 1) return 1 + S_VALUES;
    if (table[S_INSTRUCTIONS] > length || results_of(table) > length) return 1 + S_INSTRUCTIONS;
    if (length != S_HEAD + table[S_INSTRUCTIONS] * S_INSTRUCTION + results_of(table)) return 1 + S_LENGTH;
    const int64_t leaves = table[S_LEAVES], first = first_of(table);
#define IS_KNOWN(at, before) ((at) >= 0 && (at) < (before) && ((at) < leaves || (at) >= leaves + results_of(table)))
    const int64_t *word = table + S_HEAD;
    for (int64_t k = 0; k < table[S_INSTRUCTIONS]; k++, word += S_INSTRUCTION) {
        if (word[0] < 0 || word[0] >= N_FUNCTIONS) return 1 + (word - table);
        for (int64_t j = 0; j < 3; j++) {
            const int64_t at = word[1 + j];
            if (j < OPERANDS[word[0]] ? !IS_KNOWN(at, first + k) : at != 0) return 2 + j + (word - table);
        }
    }
    for (; word < table + length; word++)
        if (!IS_KNOWN(*word, first + table[S_INSTRUCTIONS])) return 1 + (word - table);
    return 0;
}

static double largest(double a, double b) { return a != a ? a : a > b ? a : b; }
static double smallest(double a, double b) { return a != a ? a : a < b ? a : b; }
static double sign_of(double a) { return a != a ? a : a == 0.0 ? 0.0 : copysign(1.0, a); }
static double sigmoid(double a) {
    const double e = exp(-fabs(a));
    return (a >= 0.0 ? 1.0 : e) / (1.0 + e);
}

/* Run a table that was checked: the leaves and the constants are there already. It returns the first result; all of
   them lie behind the leaves then, and the gradient behind them, in which -0 is 0, as in a sum that begins with 0. */
SHOWN double autograd_mini_scalars_run(Scalars *scalars) {
    const int64_t *table = scalars->table;
    double *x = scalars->numbers, *to = x + first_of(table);
    if (scalars->length < autograd_mini_scalars_size(table)) return NAN;
    const int64_t *word = table + S_HEAD, *end = word + table[S_INSTRUCTIONS] * S_INSTRUCTION;
    for (; word < end; word += S_INSTRUCTION, to++) {
        const double a = x[word[1]], b = x[word[2]];
        switch (word[0]) {
        case F_COPY: *to = a; break;
        case F_ADD: *to = a + b; break;
        case F_SUB: *to = a - b; break;
        case F_MUL: *to = a * b; break;
        case F_DIV: *to = a / b; break;
        case F_POW: *to = pow(a, b); break;
        case F_NEG: *to = -a; break;
        case F_ABS: *to = fabs(a); break;
        case F_LESS: *to = a < b; break;
        case F_GREATER: *to = a > b; break;
        case F_GREATER_EQUAL: *to = a >= b; break;
        case F_EQUAL: *to = a == b; break;
        case F_AND: *to = a != 0.0 && b != 0.0; break;
        case F_OR: *to = a != 0.0 || b != 0.0; break;
        case F_WHERE: *to = a != 0.0 ? b : x[word[3]]; break;
        case F_MAXIMUM: *to = largest(a, b); break;
        case F_MINIMUM: *to = smallest(a, b); break;
        case F_EXP: *to = exp(a); break;
        case F_EXPM1: *to = expm1(a); break;
        case F_LOG: *to = log(a); break;
        case F_LOG1P: *to = log1p(a); break;
        case F_LOG2: *to = log2(a); break;
        case F_LOG10: *to = log10(a); break;
        case F_SQRT: *to = sqrt(a); break;
        case F_CBRT: *to = cbrt(a); break;
        case F_HYPOT: *to = hypot(a, b); break;
        case F_SIN: *to = sin(a); break;
        case F_COS: *to = cos(a); break;
        case F_TAN: *to = tan(a); break;
        case F_ASIN: *to = asin(a); break;
        case F_ACOS: *to = acos(a); break;
        case F_ATAN: *to = atan(a); break;
        case F_ATAN2: *to = atan2(a, b); break;
        case F_SINH: *to = sinh(a); break;
        case F_COSH: *to = cosh(a); break;
        case F_TANH: *to = tanh(a); break;
        case F_SIGMOID: *to = sigmoid(a); break;
        case F_ERF: *to = erf(a); break;
        case F_ERFC: *to = erfc(a); break;
        case F_SIGN: *to = sign_of(a); break;
        case F_RINT: *to = nearbyint(a); break;
        case F_SQUARE: *to = a * a; break;
        default: break;
        }
    }
    double *result = x + table[S_LEAVES];
    for (int64_t k = 0; k < table[S_VALUES]; k++) *result++ = x[*word++];
    for (int64_t k = 0; k < table[S_GRADIENT]; k++) *result++ = x[*word++] + 0.0;
    return x[table[S_LEAVES]];
}
