/* What the library shows to `library.py`: its version, the instruction sets, a check of tables, and the run of one. */
#include "machine.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

SHOWN const char *autograd_mini_version(void) { return VERSION; }

/* ---------------------------------------------------------------------------------------------- instruction sets */

typedef void Run(const Machine *);
typedef int64_t Epochs(void *); /* see `epoch.c` */
#if defined(__x86_64__)
#include <cpuid.h>
Run run_avx512, run_avx2, run_baseline, run_single_avx512, run_single_avx2, run_single_baseline;
static const char *const NAMES[] = {"avx512", "avx2", "sse2"};
static Run *const RUNS[] = {run_avx512, run_avx2, run_baseline};
static Run *const RUNS_SINGLE[] = {run_single_avx512, run_single_avx2, run_single_baseline};
Epochs epoch_avx512, epoch_avx2, epoch_baseline;
static Epochs *const EPOCHS[] = {epoch_avx512, epoch_avx2, epoch_baseline};
/* The compiler's own test, __builtin_cpu_supports, finds nothing where a library is linked by zig. An instruction set
   is there if the processor has it and the system saves its registers (XCR0). */
static int is_there(int k) {
    unsigned a, b, c, d, saved, above;
    if (k == 2) return 1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2)) return 0;
    __asm__("xgetbv" : "=a"(saved), "=d"(above) : "c"(0));
    if (k == 1) return (saved & 0x6) == 0x6;
    return (saved & 0xe6) == 0xe6 && (b & bit_AVX512F) && (b & bit_AVX512DQ);
}
#else
Run run_baseline, run_single_baseline;
#if defined(__aarch64__)
static const char *const NAMES[] = {"neon"};
#else
static const char *const NAMES[] = {"plain"};
#endif
static Run *const RUNS[] = {run_baseline};
static Run *const RUNS_SINGLE[] = {run_single_baseline};
Epochs epoch_baseline;
static Epochs *const EPOCHS[] = {epoch_baseline};
static int is_there(int k) { return k == 0; }
#endif
enum { N_SETS = sizeof RUNS / sizeof *RUNS };

/* A processor is asked once: on a virtual machine that takes as long as to run a small program. */
static int has(int k) {
    static _Atomic signed char known[N_SETS]; /* 1 where it is there, -1 where not */
    if (!known[k]) known[k] = is_there(k) ? 1 : -1;
    return known[k] > 0;
}

/* The name of instruction set k, the fastest first; empty where the processor lacks it, NULL after the last. */
SHOWN const char *autograd_mini_instruction_set(int64_t k) {
    return k < 0 || k >= N_SETS ? NULL : has((int)k) ? NAMES[k] : "";
}

/* --------------------------------------------------------------------------------------- the check of a table */

typedef struct {
    const int64_t *table, *arrays;
    int64_t block; /* whether the phase runs for each block */
} Checked;

enum { MOST = 1 << 28 };
static int is_within(int64_t x, int64_t least, int64_t most) { return x >= least && x <= most; }
static int is_array(const Checked *c, int64_t array) { return is_within(array, 0, c->table[H_ARRAYS] - 1); }
static int64_t kind_of(const Checked *c, int64_t array) { return c->arrays[array * ARRAY + A_KIND]; }
static int64_t rows_in(const Checked *c, int64_t array) { return c->arrays[array * ARRAY + A_ROWS]; }
static int varies(const Checked *c, int64_t array) { return kind_of(c, array) >= LOCAL; }

/* Arrays that vary are there in phases that run for each block. */
static int is_readable(const Checked *c, int64_t array) { return is_array(c, array) && (c->block || !varies(c, array)); }
static int is_writable(const Checked *c, int64_t array) { return is_readable(c, array) && kind_of(c, array) != THETA; }
/* What is written row by row has as many numbers in a row as the phase. */
static int is_target(const Checked *c, int64_t array) {
    return is_writable(c, array) && (varies(c, array) != 0) == (c->block != 0);
}

static int is_view(const Checked *c, const int64_t *v) {
    if (!is_readable(c, v[V_ARRAY])) return 0;
    const int64_t rows = rows_in(c, v[V_ARRAY]);
    return is_within(v[V_START], 0, rows - 1) && is_within(v[V_COUNT], 1, rows) && is_within(v[V_STEP], 1, rows) &&
           v[V_START] + (v[V_COUNT] - 1) * v[V_STEP] < rows;
}

static int is_target_view(const Checked *c, const int64_t *v) { return is_view(c, v) && is_target(c, v[V_ARRAY]); }

static int is_matrix(const Checked *c, const int64_t *m) {
    if (!is_readable(c, m[M_ARRAY]) || varies(c, m[M_ARRAY])) return 0;
    const int64_t rows = rows_in(c, m[M_ARRAY]);
    if (!is_within(m[M_START], 0, rows - 1) || !is_within(m[M_ROWS], 1, rows) || !is_within(m[M_COLUMNS], 1, rows))
        return 0;
    if (!is_within(m[M_DOWN], 1, rows) || !is_within(m[M_ACROSS], 1, rows)) return 0;
    return m[M_START] + (m[M_ROWS] - 1) * m[M_DOWN] + (m[M_COLUMNS] - 1) * m[M_ACROSS] < rows;
}

static const int64_t OPERANDS[] = {
#define COUNT(name, operands) operands,
    FUNCTIONS(COUNT)
#undef COUNT
};

static int is_slot(const Checked *c, int64_t slot, int64_t slots) {
    return slot < 0 ? slot >= -c->table[H_CONSTANTS] : slot < slots;
}

static int is_formula(const Checked *c, const int64_t *i) {
    const int64_t length = i[I_LENGTH], leaves = i[I_LEAVES], operations = i[I_OPERATIONS], *target = i + I_TARGET;
    const int64_t sort = i[I_SORT], count = i[I_COUNT], first = leaves + 1;
    if (length < I_REST || !is_within(leaves, 0, MOST_SLOTS) || !is_within(operations, 0, length)) return 0;
    if (!is_within(i[I_UNIFORM], 0, operations) || !is_within(count, 1, MOST)) return 0;
    if (length != I_REST + leaves * VIEW + operations * OPERATION + (sort == SCATTER ? count : 0)) return 0;
    if (!is_within(i[I_TEMPORARIES], 0, MOST_SLOTS)) return 0;
    const int64_t slots = first + i[I_TEMPORARIES];
    if (slots > c->table[H_SLOTS] || !is_slot(c, i[I_RESULT], slots)) return 0;
    const int64_t *leaf = i + I_REST, *operation = leaf + leaves * VIEW;
    for (int64_t k = 0; k < leaves; k++, leaf += VIEW)
        if (!is_view(c, leaf) || (leaf[V_COUNT] != 1 && leaf[V_COUNT] != count)) return 0;
    for (int64_t k = 0; k < operations; k++, operation += OPERATION) {
        if (!is_within(operation[O_CODE], 0, N_FUNCTIONS - 1)) return 0;
        /* Temporaries are written, and the target at last. What is the same for all comes first, of constants alone. */
        const int uniform = k < i[I_UNIFORM], is_last = sort == ASSIGN && k == operations - 1 && !uniform;
        if (!is_within(operation[O_TO], first, slots - 1) && !(is_last && operation[O_TO] == leaves)) return 0;
        for (int64_t j = 0; j < 3; j++) {
            const int64_t slot = operation[O_A + j], is_needed = j < OPERANDS[operation[O_CODE]];
            if (is_needed ? !is_slot(c, slot, slots) || (uniform && slot >= 0 && slot < first) : slot != -1) return 0;
        }
    }
    if (!is_view(c, target)) return 0;
    if (sort == ASSIGN) return is_target_view(c, target) && count == target[V_COUNT] && operations > i[I_UNIFORM];
    if (sort == SCATTER) {
        if (!is_target(c, target[V_ARRAY]) || target[V_START] != 0 || target[V_STEP] != 1) return 0;
        for (int64_t k = 0; k < count; k++)
            if (!is_within(operation[k], 0, target[V_COUNT] - 1)) return 0;
        return target[V_COUNT] > 1 || count > 0;
    }
    if (!is_within(i[I_FUNCTION], BY_SUM, BY_MINIMUM)) return 0;
    if (i[I_OVER] == OVER_ROWS || i[I_OVER] == OVER_ROWS_LAST)
        return is_target_view(c, target) && count % target[V_COUNT] == 0;
    if (i[I_OVER] == OVER_ANY) return is_target_view(c, target) && target[V_COUNT] == 1 && i[I_FUNCTION] == BY_SUM;
    if (!c->block || i[I_FUNCTION] != BY_SUM || !is_writable(c, target[V_ARRAY]) || varies(c, target[V_ARRAY])) return 0;
    return i[I_OVER] == OVER_BATCH ? count == target[V_COUNT] : i[I_OVER] == OVER_BOTH && target[V_COUNT] == 1;
}

static int is_call(const Checked *c, const int64_t *i) {
    if (i[I_LENGTH] != CALL_LENGTH || !is_within(i[C_FUNCTION], 0, CALLS - 1)) return 0;
    const int64_t *views = i + C_VIEWS;
    for (int k = 0; k < 5; k++)
        if (!is_view(c, views + k * VIEW)) return 0;
#define COUNT_OF(k) views[(k)*VIEW + V_COUNT]
    if (i[C_FUNCTION] == MINUS_LOG_SOFTMAX) {
        for (int k = 2; k < 5; k++)
            if (!is_target_view(c, views + k * VIEW)) return 0;
        return (COUNT_OF(0) == 1 || COUNT_OF(0) == COUNT_OF(2)) && COUNT_OF(1) == 1 && COUNT_OF(3) == 1 &&
               COUNT_OF(4) == 1;
    }
    if (!is_target_view(c, views + VIEW)) return 0;
    return i[C_FUNCTION] == EXPONENTIALS ? COUNT_OF(0) == 1 || COUNT_OF(0) == COUNT_OF(1) : COUNT_OF(1) == 1;
}

static int is_product(const Checked *c, const int64_t *i) {
    if (i[I_LENGTH] != PRODUCT_LENGTH) return 0;
    const int64_t kind = i[D_KIND], bias = i[D_BIAS], windows = i[D_WINDOWS];
    const int64_t *target = i + D_TARGET, *matrix = i + D_MATRIX, *source = i + D_SOURCE, *upstream = i + D_UPSTREAM;
    if (!is_within(kind, FORWARD, BY_MATRIX) || !is_within(bias, 0, kind != BY_SOURCE)) return 0;
    if (!is_within(windows, 1, MOST) || !is_within(i[D_ADD], 0, 1) || !is_matrix(c, matrix)) return 0;
    const int64_t rows = matrix[M_ROWS] * windows, columns = (matrix[M_COLUMNS] - bias) * windows;
    if (columns < windows) return 0;
#define FITS(v, n) (is_view(c, v) && (v)[V_COUNT] == (n) && varies(c, (v)[V_ARRAY]) == (c->block != 0))
    if (kind == FORWARD) return FITS(target, rows) && is_target_view(c, target) && FITS(source, columns);
    if (kind == BY_SOURCE) return FITS(target, columns) && is_target_view(c, target) && FITS(upstream, rows);
    return is_writable(c, matrix[M_ARRAY]) && FITS(source, columns) && FITS(upstream, rows);
}

static int is_gather(const Checked *c, const int64_t *i) {
    const int64_t *target = i + G_TARGET;
    if (i[I_LENGTH] < G_INDEX || !is_target_view(c, target) || !is_readable(c, i[G_SOURCE])) return 0;
    if (i[I_LENGTH] != G_INDEX + target[V_COUNT]) return 0;
    for (int64_t k = 0; k < target[V_COUNT]; k++)
        if (!is_within(i[G_INDEX + k], 0, rows_in(c, i[G_SOURCE]) - 1)) return 0;
    return 1;
}

static int is_pick(const Checked *c, const int64_t *i) {
    const int64_t *index = i + K_INDEX, *table = i + K_TABLE, *target = i + K_TARGET;
    if (i[I_LENGTH] != PICK_LENGTH || !is_view(c, index) || !is_view(c, table) || !is_view(c, target)) return 0;
    const int64_t size = target[V_COUNT] / index[V_COUNT];
    if (size < 1 || target[V_COUNT] != size * index[V_COUNT] || table[V_COUNT] % size) return 0;
    return i[I_SORT] == PICK ? is_target_view(c, target) : is_writable(c, table[V_ARRAY]);
}

static int is_instruction(const Checked *c, const int64_t *i) {
    switch (i[I_SORT]) {
    case ASSIGN:
    case REDUCE:
    case SCATTER: return is_formula(c, i);
    case CALL: return is_call(c, i);
    case PRODUCT: return is_product(c, i);
    case GATHER: return is_gather(c, i);
    case PICK:
    case PICK_GRADIENT: return is_pick(c, i);
    case FILL: return i[I_LENGTH] == FILL_LENGTH && is_target(c, i[F_ARRAY]);
    case READ:
        return i[I_LENGTH] == READ_LENGTH && is_within(i[R_INPUT], 0, c->table[H_INPUTS] - 1) && c->block &&
               is_target(c, i[R_ARRAY]);
    case WRITE:
        return i[I_LENGTH] == WRITE_LENGTH && is_view(c, i + W_VIEW) &&
               varies(c, i[W_VIEW + V_ARRAY]) == (c->block != 0) &&
               is_within(i[W_ROW], 0, c->table[c->block ? H_VARYING : H_RESULTS] - i[W_VIEW + V_COUNT]);
    default: return 0;
    }
}

static int is_in_memory(const Checked *c, const int64_t *array) {
    static const int TOTAL[] = {H_THETA, H_THETA, H_FIXED, H_LOCAL, H_STORED};
    if (!is_within(array[A_KIND], THETA, STORED) || !is_within(array[A_ROWS], 0, MOST)) return 0;
    return is_within(array[A_OFFSET], 0, c->table[TOTAL[array[A_KIND]]] - array[A_ROWS]);
}

/* 0 for a table that may run; else 1 + the word at which it is none. */
SHOWN int64_t autograd_mini_check(const int64_t *table, int64_t length) {
    if (length < HEAD || table[H_MAGIC] != MAGIC || table[H_LENGTH] != length || length > MOST) return 1;
    for (int64_t k = H_ARRAYS; k < HEAD; k++)
        if (!is_within(table[k], 0, MOST)) return 1 + k;
    const int64_t arrays = table[H_ARRAYS], phases = table[H_PHASES];
    if (!is_within(table[H_SINGLE], 0, 1)) return 1 + H_SINGLE;
    const int64_t step = step_of(table);
    if (!is_within(table[H_BLOCK], step, CHUNK) || table[H_BLOCK] % step) return 1 + H_BLOCK;
    if (table[H_SLOTS] > MOST_SLOTS || table[H_CONSTANTS] < 1) return 1 + H_SLOTS;
    if (arrays > length || phases > length || HEAD + arrays * ARRAY + phases * PHASE > length) return 1 + H_ARRAYS;
    Checked c = {table, table + HEAD, 0};
    for (int64_t k = 0; k < arrays; k++)
        if (!is_in_memory(&c, c.arrays + k * ARRAY)) return 1 + HEAD + k * ARRAY;
    const int64_t *phase = c.arrays + arrays * ARRAY;
    for (int64_t k = 0; k < phases; k++, phase += PHASE) {
        c.block = phase[P_BLOCKS];
        if (!is_within(c.block, 0, 1)) return 1 + (phase - table);
        if (!is_within(phase[P_START], 0, length) || !is_within(phase[P_END], phase[P_START], length))
            return 1 + (phase - table);
        for (int64_t at = phase[P_START]; at < phase[P_END];) {
            if (phase[P_END] - at < 2 || !is_within(table[at + I_LENGTH], 2, phase[P_END] - at)) return 1 + at;
            if (!is_instruction(&c, table + at)) return 1 + at;
            at += table[at + I_LENGTH];
        }
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- runs */

/* How many numbers the memory of a table takes for n examples; where which part begins is put into `starts`. */
SHOWN int64_t autograd_mini_memory(const int64_t *table, int64_t n, int64_t *starts) {
    Places places;
    static double nothing; /* any address: only differences count */
    const int64_t length = places_of(table, &nothing, n, &places);
    starts[0] = places.constants - &nothing, starts[1] = places.fixed - &nothing;
    starts[2] = places.results - &nothing, starts[3] = places.varying - &nothing;
    return length;
}

SHOWN int64_t autograd_mini_run(const Machine *machine, int64_t k) {
    Places places;
    if (k < 0 || k >= N_SETS || !has((int)k)) return 1;
    if (!is_within(machine->n, 1, INT32_MAX)) return 2;
    if (places_of(machine->table, NULL, machine->n, &places) > machine->length) return 3;
    (machine->table[H_SINGLE] ? RUNS_SINGLE : RUNS)[k](machine);
    return 0;
}

/* 101 where instruction set k isn't there; see `epoch.c`. */
SHOWN int64_t autograd_mini_epoch(void *epoch, int64_t k) {
    return k < 0 || k >= N_SETS || !has((int)k) ? 101 : EPOCHS[k](epoch);
}
