/* What the instruction table looks like; `table.py` writes it, `check.c` refuses what is none, `kernel.c` runs it.

   A table is an array of int64: a head, the arrays, the phases, the instructions. All that a run writes lies in one
   memory of numbers, which are doubles, or floats where H_SINGLE is 1. Examples are computed in blocks of H_BLOCK; a row
   of an array that varies has `width` numbers in a block, one beside the other: the examples of the block, filled up to
   a whole step, which is the widest vector. */
#ifndef AUTOGRAD_MINI_MACHINE_H
#define AUTOGRAD_MINI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SHOWN __declspec(dllexport)
#else
#define SHOWN __attribute__((visibility("default")))
#endif

/* What a file that includes this takes numbers to be: `kernel.c` is compiled for both. */
#ifdef SINGLE
typedef float Number;
#else
typedef double Number;
#endif

enum { STEP_BYTES = 64, CHUNK = 512, MOST_SLOTS = 512, MAGIC = 0x41474d31 };

/* The head. */
enum {
    H_MAGIC, H_LENGTH, H_ARRAYS, H_PHASES, H_INPUTS, H_CONSTANTS,
    H_SLOTS,   /* of the formula that has most */
    H_BLOCK,   /* examples, whole steps and at most a chunk */
    H_FIXED,   /* numbers of the arrays that don't vary */
    H_LOCAL,   /* rows of the arrays that live within one block */
    H_STORED,  /* rows of those that are kept for all examples */
    H_VARYING, /* rows of the results that vary, and of those that don't */
    H_RESULTS,
    H_SINGLE,  /* 1 for floats, 0 for doubles */
    H_THETA,   /* numbers in theta and in the gradient */
    HEAD
};

/* An array: its kind, its rows, and where its first row is. */
enum { THETA, GRADIENT, FIXED, LOCAL, STORED };
enum { A_KIND, A_ROWS, A_OFFSET, ARRAY };

/* A phase: whether it runs once (0) or for each block (1), and from which word to which its instructions go. */
enum { P_BLOCKS, P_START, P_END, PHASE };

/* Instructions: the sort, the length in words, and what else it needs. */
enum { ASSIGN = 1, REDUCE, SCATTER, CALL, PRODUCT, GATHER, PICK, PICK_GRADIENT, FILL, READ, WRITE };

/* A view of rows: array, start, count, step. A matrix: array, start, rows, columns, down, across. */
enum { V_ARRAY, V_START, V_COUNT, V_STEP, VIEW };
enum { M_ARRAY, M_START, M_ROWS, M_COLUMNS, M_DOWN, M_ACROSS, MATRIX };

/* Block phases write arrays that vary, or add up over the batch; the others know only arrays that don't vary. */

/* ASSIGN, REDUCE, SCATTER: I_TARGET is a view; then the leaves (views), then the operations (code, to, a, b, c), of
   which the first ones are the same for all rows and examples. Operands are slots: first the leaves, then the target
   of ASSIGN, then temporaries; -1 - k is constant k. SCATTER has its index at the end. */
enum {
    I_SORT, I_LENGTH, I_TARGET, I_COUNT = I_TARGET + VIEW, I_RESULT, I_LEAVES, I_OPERATIONS, I_UNIFORM,
    I_TEMPORARIES, I_FUNCTION, I_OVER, I_ADD, I_REST
};
enum { O_CODE, O_TO, O_A, O_B, O_C, OPERATION };
enum { OVER_ROWS, OVER_ROWS_LAST, OVER_BATCH, OVER_BOTH, OVER_ANY }; /* the last: rows of one sum, in any order */
enum { BY_SUM, BY_MAXIMUM, BY_MINIMUM };
enum { EXPONENTIALS, TOTAL_OF, LOGSUMEXP, MINUS_LOG_SOFTMAX, CALLS };
enum { FORWARD, BY_SOURCE, BY_MATRIX };

/* CALL: function, and five views. PRODUCT: kind, bias, windows, add, target, matrix, source, upstream. */
enum { C_FUNCTION = 2, C_VIEWS, CALL_LENGTH = C_VIEWS + 5 * VIEW };
enum {
    D_KIND = 2, D_BIAS, D_WINDOWS, D_ADD, D_TARGET, D_MATRIX = D_TARGET + VIEW, D_SOURCE = D_MATRIX + MATRIX,
    D_UPSTREAM = D_SOURCE + VIEW, PRODUCT_LENGTH = D_UPSTREAM + VIEW
};
/* GATHER: view of the target, array of the source, index. PICK: index, table, target or upstream. FILL: array.
   READ: input, array. WRITE: view, first row among the results. */
enum { G_TARGET = 2, G_SOURCE = G_TARGET + VIEW, G_INDEX };
enum { K_INDEX = 2, K_TABLE = K_INDEX + VIEW, K_TARGET = K_TABLE + VIEW, PICK_LENGTH = K_TARGET + VIEW };
enum { F_ARRAY = 2, FILL_LENGTH };
enum { R_INPUT = 2, R_ARRAY, READ_LENGTH };
enum { W_VIEW = 2, W_ROW = W_VIEW + VIEW, WRITE_LENGTH };

/* The functions of the namespace `xp`: NAME(operands). Conditions give 1 or 0. */
#define FUNCTIONS(F)                                                                                                   \
    F(COPY, 1) F(ADD, 2) F(SUB, 2) F(MUL, 2) F(DIV, 2) F(POW, 2) F(NEG, 1) F(ABS, 1) F(LESS, 2) F(GREATER, 2)           \
    F(GREATER_EQUAL, 2) F(EQUAL, 2) F(AND, 2) F(OR, 2) F(WHERE, 3) F(MAXIMUM, 2) F(MINIMUM, 2) F(EXP, 1) F(EXPM1, 1)    \
    F(LOG, 1) F(LOG1P, 1) F(LOG2, 1) F(LOG10, 1) F(SQRT, 1) F(CBRT, 1) F(HYPOT, 2) F(SIN, 1) F(COS, 1) F(TAN, 1)        \
    F(ASIN, 1) F(ACOS, 1) F(ATAN, 1) F(ATAN2, 2) F(SINH, 1) F(COSH, 1) F(TANH, 1) F(SIGMOID, 1) F(ERF, 1) F(ERFC, 1)    \
    F(SIGN, 1) F(RINT, 1) F(SQUARE, 1)

enum {
#define CODE(name, operands) F_##name,
    FUNCTIONS(CODE)
#undef CODE
        N_FUNCTIONS
};

/* A program on single numbers has a table of its own: a head, the instructions (code, a, b, c: operands that a function
   hasn't are 0), then which numbers the results and the gradient are. The numbers are: the leaves, the results, the
   gradient, the constants, and what each instruction computes. `scalars.c` checks it and runs it. */
enum { SCALARS_MAGIC = 0x41475331 };
enum { S_MAGIC, S_LENGTH, S_LEAVES, S_VALUES, S_GRADIENT, S_CONSTANTS, S_INSTRUCTIONS, S_HEAD, S_INSTRUCTION = 4 };
typedef struct {
    const int64_t *table;
    int64_t length; /* of the numbers */
    double numbers[];
} Scalars;

/* Number c of example i is at data + i·down + c·across. */
typedef struct {
    const Number *data;
    int64_t down, across;
} Input;

/* What a run needs. */
typedef struct {
    const int64_t *table;
    Number *memory; /* see `places_of` */
    int64_t length; /* of it */
    const Number *theta;
    Number *gradient;
    int64_t n; /* examples */
    Number *varying; /* where row r of the results that vary goes, to varying + r·step; NULL: into the memory, n apart */
    int64_t varying_step;
    int64_t first_unsigned; /* in results from this row on that vary, -0 becomes 0 */
    Input inputs[];
} Machine;

/* Run a table that was checked, by instruction set k; 0 if all went well. */
SHOWN int64_t autograd_mini_run(const Machine *machine, int64_t k);

/* The memory: constants (a step of each), temporaries, arrays that don't vary, results, arrays within a block, stored. */
static inline int64_t step_of(const int64_t *table) {
    return STEP_BYTES / (table[H_SINGLE] ? (int64_t)sizeof(float) : (int64_t)sizeof(double));
}
static inline int64_t whole_steps(int64_t count, int64_t step) { return (count + step - 1) / step * step; }

typedef struct {
    Number *constants, *temporaries, *fixed, *results, *varying, *local, *stored;
} Places;

static inline int64_t places_of(const int64_t *table, Number *memory, int64_t n, Places *places) {
    const int64_t block = table[H_BLOCK], blocks = (n + block - 1) / block;
    const int64_t step = step_of(table), width = n < block ? whole_steps(n, step) : block;
    const int64_t sizes[] = {
        table[H_CONSTANTS] * step,
        table[H_SLOTS] * CHUNK,
        whole_steps(table[H_FIXED], step),
        whole_steps(table[H_RESULTS], step),
        whole_steps(table[H_VARYING] * n, step),
        table[H_LOCAL] * width,
        table[H_STORED] * width * blocks,
    };
    Number **to[] = {&places->constants, &places->temporaries, &places->fixed, &places->results, &places->varying,
                     &places->local, &places->stored};
    int64_t at = 0;
    for (int i = 0; i < 7; i++) {
        *to[i] = memory ? memory + at : NULL;
        at += sizes[i];
    }
    return at;
}

#endif
