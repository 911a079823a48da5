/* Runs an instruction table that `machine.c` has let pass. It is compiled for each instruction set, whose name KERNEL
   is, with doubles and, as SINGLE, with floats. It knows the functions of `xp` and the kinds of statement, and nothing
   of operations or derivatives. */
#include <string.h>

#include "machine.h"
#include "vectors.h"

#define UNROLLED _Pragma("GCC unroll 4")
#define NAMED_(a, b) a##b
#define NAMED(a, b) NAMED_(a, b)
#ifdef SINGLE
#define RUN NAMED(run_single_, KERNEL)
#else
#define RUN NAMED(run_, KERNEL)
#endif

enum { STEP = STEP_BYTES / sizeof(Number) };

/* What instructions of one block see. In a phase that runs once, width and valid are 0. */
typedef struct {
    const Machine *machine;
    const int64_t *table, *arrays;
    Places places;
    int64_t block, width, valid; /* numbers in a row, and how many of them are examples */
    char last[STEP_BYTES];       /* the bits of those in the last vector are all 1, of others 0 */
} Scene;

/* Some rows: row r begins at p + r·step. */
typedef struct {
    Number *p;
    int64_t step, count;
    int varies;
} Rows;

INLINE Rows rows_from(const Scene *scene, int64_t number) {
    const int64_t *array = scene->arrays + number * ARRAY;
    int64_t offset = array[A_OFFSET], width = scene->width;
    switch (array[A_KIND]) {
    case THETA: return (Rows){(Number *)scene->machine->theta + offset, 1, array[A_ROWS], 0};
    case GRADIENT: return (Rows){scene->machine->gradient + offset, 1, array[A_ROWS], 0};
    case FIXED: return (Rows){scene->places.fixed + offset, 1, array[A_ROWS], 0};
    case LOCAL: return (Rows){scene->places.local + offset * width, width, array[A_ROWS], 1};
    default:
        return (Rows){scene->places.stored + scene->block * scene->table[H_STORED] * scene->table[H_BLOCK] + offset * width, width,
                      array[A_ROWS], 1};
    }
}

/* A view's rows; a single row serves wherever several are expected. */
INLINE Rows rows_of(const Scene *scene, const int64_t *view) {
    Rows rows = rows_from(scene, view[V_ARRAY]);
    rows.p += view[V_START] * rows.step;
    rows.step = view[V_COUNT] == 1 ? 0 : rows.step * view[V_STEP];
    rows.count = view[V_COUNT];
    return rows;
}

/* ------------------------------------------------------------------------------------------- sums of exponentials */

/* These are computed with doubles, whatever the numbers are. */
INLINE vec lanes_of(Rows rows, int64_t row, int64_t lane) {
    const Number *p = rows.p + row * rows.step;
    return rows.varies ? load_wide(p + lane) : all(*p);
}

INLINE void put_lanes(Rows rows, int64_t row, int64_t lane, vec a) {
    Number *p = rows.p + row * rows.step;
    if (rows.varies)
        store_wide(p + lane, a);
    else
        *p = (Number)a[0];
}

/* exp(a - b), corrected by what was lost when a - b was rounded. */
INLINE vec exp_of_difference(vec a, vec b) {
    vec difference = a - b, part = difference - a;
    vec lost = (a - (difference - part)) - (b + part);
    vec e = v_exp(difference);
    return e + e * choose(magnitude(lost) < INFINITY, lost, all(0.0));
}

INLINE vec largest(Rows z, int64_t rows, int64_t lane) {
    vec peak = lanes_of(z, 0, lane);
    for (int64_t r = 1; r < rows; r++) peak = v_maximum(peak, lanes_of(z, r, lane));
    return peak;
}

INLINE vec logsumexp(Rows z, int64_t rows, int64_t lane) {
    vec peak = largest(z, rows, lane), others = {0};
    ivec is_found = {0};
    for (int64_t r = 0; r < rows; r++) {
        vec x = lanes_of(z, r, lane);
        ivec is_peak = (x == peak) & ~is_found;
        others += choose(is_peak, all(0.0), exp_of_difference(x, peak));
        is_found |= is_peak;
    }
    return choose(magnitude(peak) < INFINITY, peak + v_log1p(others), peak);
}

static void call(const Scene *scene, const int64_t *instruction) {
    const int64_t function = instruction[C_FUNCTION], *views = instruction + C_VIEWS, width = scene->width;
    Rows rows[5];
    for (int k = 0; k < 5; k++) rows[k] = rows_of(scene, views + k * VIEW);
    for (int64_t lane = 0; lane < (width ? width : 1); lane += VW)
        switch (function) {
        case EXPONENTIALS: {
            const int64_t count = rows[1].count;
            vec peak = largest(rows[0], count, lane);
            for (int64_t r = 0; r < count; r++)
                put_lanes(rows[1], r, lane, exp_of_difference(lanes_of(rows[0], r, lane), peak));
            break;
        }
        case TOTAL_OF: { /* with what each addition loses */
            vec total = {0}, lost = {0};
            for (int64_t r = 0; r < rows[0].count; r++) {
                vec a = lanes_of(rows[0], r, lane), sum = total + a, part = sum - total;
                lost += (total - (sum - part)) + (a - part);
                total = sum;
            }
            put_lanes(rows[1], 0, lane, total + choose(magnitude(lost) < INFINITY, lost, all(0.0)));
            break;
        }
        case LOGSUMEXP: put_lanes(rows[1], 0, lane, logsumexp(rows[0], rows[0].count, lane)); break;
        default: { /* -log softmax of the class that the index names; its slopes, their divisor */
            const Rows z = rows[0], index = rows[1], slopes = rows[2];
            const int64_t count = slopes.count;
            vec peak = largest(z, count, lane), own = {0}, others = {0}, chosen = all(-INFINITY);
            vec named = lanes_of(index, 0, lane);
            ivec is_any = {0};
            for (int64_t r = 0; r < count; r++) {
                vec x = lanes_of(z, r, lane), e = exp_of_difference(x, peak);
                ivec is_class = named == (double)r;
                own = choose(is_class, e, own), others += choose(is_class, all(0.0), e);
                chosen = choose(is_class, x, chosen), is_any |= is_class;
                put_lanes(slopes, r, lane, e);
            }
            for (int64_t r = 0; r < count; r++)
                put_lanes(slopes, r, lane, choose(named == (double)r, -others, lanes_of(slopes, r, lane)));
            vec loss = (peak - chosen) +
                       choose(magnitude(peak) < INFINITY, v_log1p(others + (own - 1.0)), all(0.0));
            ivec lacks = ~is_any;
            int64_t any = 0;
            for (int i = 0; i < VW; i++) any |= lacks[i];
            if (any) loss = choose(is_any, loss, logsumexp(z, count, lane));
            put_lanes(rows[3], 0, lane, others + (count > 1 ? own : one_where(is_any))); /* of a single class: 0/1 */
            put_lanes(rows[4], 0, lane, loss);
        }
        }
}

/* -------------------------------------------------------------------------------------- vectors of the numbers */

#ifdef SINGLE
#include "singles.h" /* from here on `vec`, `load` and the like mean floats */
#endif

/* The numbers of the examples alone: what fills up the last vector is 0. */
INLINE ivec last_of(const Scene *scene) {
    ivec last;
    memcpy(&last, scene->last, sizeof last);
    return last;
}

INLINE vec of_examples(const Scene *scene, vec a, int64_t lane) {
    return lane + VW <= scene->valid ? a : (vec)((ivec)a & last_of(scene));
}

/* to[c·to_step + r] = from[r·from_step + c]. */
static void transpose(const Number *from, int64_t from_step, int64_t rows, int64_t columns, Number *to,
                      int64_t to_step) {
    int64_t whole_rows = 0, whole_columns = 0;
#if defined(TURNED) && !defined(SINGLE)
    whole_rows = rows / VW * VW, whole_columns = columns / VW * VW;
    for (int64_t r = 0; r < whole_rows; r += VW)
        for (int64_t c = 0; c < whole_columns; c += VW) {
            vec square[VW];
            for (int i = 0; i < VW; i++) square[i] = load(from + (r + i) * from_step + c);
            turn(square);
            for (int i = 0; i < VW; i++) store(to + (c + i) * to_step + r, square[i]);
        }
#endif
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; r++) to[c * to_step + r] = from[r * from_step + c];
}

/* ------------------------------------------------------------------------------------------------------ formulas */

typedef struct {
    Number *p[MOST_SLOTS];
    int64_t step[MOST_SLOTS]; /* VW, or 0 where one vector serves for all */
    const Number *constants;
} Slots;

/* `count` numbers, which are whole steps: the vectors of a step in one go. */
#define EACH(expression)                                                                                               \
    for (int64_t i = 0; i < count; i += STEP, A += ia * STEP / VW)                                                     \
        UNROLLED for (int64_t k = 0; k < STEP / VW; k++) {                                                             \
            const vec a = load(A + k * ia);                                                                            \
            store(to + i + k * VW, expression);                                                                        \
        }
#define EACH_OF_TWO(expression)                                                                                        \
    for (int64_t i = 0; i < count; i += STEP, A += ia * STEP / VW, B += ib * STEP / VW)                                \
        UNROLLED for (int64_t k = 0; k < STEP / VW; k++) {                                                             \
            const vec a = load(A + k * ia), b = load(B + k * ib);                                                      \
            store(to + i + k * VW, expression);                                                                        \
        }

/* The same through doubles: the functions are computed with these alone. */
#define WIDE_EACH(expression)                                                                                          \
    for (int64_t i = 0; i < count; i += WIDE) {                                                                        \
        wide a = load_wide(A);                                                                                         \
        A += ia * WIDE / VW;                                                                                           \
        store_wide(to + i, expression);                                                                                \
    }
#define WIDE_OF_TWO(expression)                                                                                        \
    for (int64_t i = 0; i < count; i += WIDE) {                                                                        \
        wide a = load_wide(A), b = load_wide(B);                                                                       \
        A += ia * WIDE / VW, B += ib * WIDE / VW;                                                                      \
        store_wide(to + i, expression);                                                                                \
    }

static int is_far(const Number *A, int64_t ia, int64_t count) {
    int any = 0;
    for (int64_t i = 0; i < (ia ? count : VW); i++) any |= fabs((double)A[i]) > FAR_AWAY;
    return any;
}

static void run_operation(const int64_t *operation, const Slots *slots, int64_t count) {
    const Number *operands[3];
    int64_t steps[3];
    for (int k = 0; k < 3; k++) {
        int64_t slot = operation[O_A + k];
        operands[k] = slot < 0 ? slots->constants + (-1 - slot) * STEP : slots->p[slot];
        steps[k] = slot < 0 ? 0 : slots->step[slot];
    }
    const Number *A = operands[0], *B = operands[1], *C = operands[2];
    const int64_t ia = steps[0], ib = steps[1], ic = steps[2];
    Number *to = slots->p[operation[O_TO]];
    switch (operation[O_CODE]) {
    case F_COPY: EACH(a) break;
    case F_ADD: EACH_OF_TWO(a + b) break;
    case F_SUB: EACH_OF_TWO(a - b) break;
    case F_MUL: EACH_OF_TWO(a * b) break;
    case F_DIV: EACH_OF_TWO(a / b) break;
    case F_POW: WIDE_OF_TWO(v_pow(a, b)) break;
    case F_NEG: EACH(-a) break;
    case F_ABS: EACH(magnitude(a)) break;
    case F_LESS: EACH_OF_TWO(one_where(a < b)) break;
    case F_GREATER: EACH_OF_TWO(one_where(a > b)) break;
    case F_GREATER_EQUAL: EACH_OF_TWO(one_where(a >= b)) break;
    case F_EQUAL: EACH_OF_TWO(one_where(a == b)) break;
    case F_AND: EACH_OF_TWO(one_where((a != (vec){0}) & (b != (vec){0}))) break;
    case F_OR: EACH_OF_TWO(one_where((a != (vec){0}) | (b != (vec){0}))) break;
    case F_WHERE:
        for (int64_t i = 0; i < count; i += VW, A += ia, B += ib, C += ic)
            store(to + i, choose(load(A) != (vec){0}, load(B), load(C)));
        break;
    case F_MAXIMUM: EACH_OF_TWO(v_maximum(a, b)) break;
    case F_MINIMUM: EACH_OF_TWO(v_minimum(a, b)) break;
    case F_EXP: WIDE_EACH(v_exp(a)) break;
    case F_EXPM1: WIDE_EACH(v_expm1(a)) break;
    case F_LOG: WIDE_EACH(v_log(a)) break;
    case F_LOG1P: WIDE_EACH(v_log1p(a)) break;
    case F_LOG2: WIDE_EACH(v_log2(a)) break;
    case F_LOG10: WIDE_EACH(v_log10(a)) break;
    case F_SQRT: EACH(ROOT(a)) break;
    case F_CBRT: WIDE_EACH(v_cbrt(a)) break;
    case F_HYPOT: WIDE_OF_TWO(v_hypot(a, b)) break;
    case F_SIN:
        if (is_far(A, ia, count)) {
            WIDE_EACH(far_sin(a))
        } else {
            WIDE_EACH(sine(a, 0))
        }
        break;
    case F_COS:
        if (is_far(A, ia, count)) {
            WIDE_EACH(far_cos(a))
        } else {
            WIDE_EACH(sine(a, 1))
        }
        break;
    case F_TAN: WIDE_EACH(v_tan(a)) break;
    case F_ASIN: WIDE_EACH(v_asin(a)) break;
    case F_ACOS: WIDE_EACH(v_acos(a)) break;
    case F_ATAN: WIDE_EACH(v_atan(a)) break;
    case F_ATAN2: WIDE_OF_TWO(v_atan2(a, b)) break;
    case F_SINH: WIDE_EACH(v_sinh(a)) break;
    case F_COSH: WIDE_EACH(v_cosh(a)) break;
    case F_TANH: WIDE_EACH(v_tanh(a)) break;
    case F_SIGMOID: WIDE_EACH(v_sigmoid(a)) break;
    case F_ERF: WIDE_EACH(v_erf(a)) break;
    case F_ERFC: WIDE_EACH(v_erfc(a)) break;
    case F_SIGN: WIDE_EACH(v_sign(a)) break;
    case F_RINT: WIDE_EACH(v_rint(a)) break;
    case F_SQUARE: EACH(a * a) break;
    default: break;
    }
}

/* What is done with the values of a formula: `count` of them from row `first` on, one row of `width` numbers each in a
   block, one number each else. */
typedef struct Formula Formula;
struct Formula {
    const Scene *scene;
    const int64_t *instruction, *leaves, *operations;
    int64_t n_leaves, n_operations, n_uniform, rows;
    Rows target, leaf[MOST_SLOTS];
    Slots slots;
    void (*take)(const Formula *, const Number *value, int64_t step, int64_t first, int64_t count);
};

static void take_nothing(const Formula *f, const Number *value, int64_t step, int64_t first, int64_t count) {
    (void)f, (void)value, (void)step, (void)first, (void)count;
}

static void run_operations(Formula *f, int64_t numbers) {
    for (int64_t k = f->n_uniform; k < f->n_operations; k++)
        run_operation(f->operations + k * OPERATION, &f->slots, numbers);
}

static void hand_over(const Formula *f, int64_t first, int64_t count) {
    int64_t slot = f->instruction[I_RESULT];
    if (slot < 0)
        f->take(f, f->slots.constants + (-1 - slot) * STEP, 0, first, count);
    else
        f->take(f, f->slots.p[slot], f->slots.step[slot], first, count);
}

static Number *buffer_of(const Formula *f, int64_t slot) { return f->scene->places.temporaries + slot * CHUNK; }

static void begin(Formula *f, const Scene *scene, const int64_t *instruction) {
    f->scene = scene, f->instruction = instruction;
    f->n_leaves = instruction[I_LEAVES], f->n_operations = instruction[I_OPERATIONS];
    f->n_uniform = instruction[I_UNIFORM], f->rows = instruction[I_COUNT];
    f->leaves = instruction + I_REST, f->operations = f->leaves + f->n_leaves * VIEW;
    f->target = rows_of(scene, instruction + I_TARGET);
    f->slots.constants = scene->places.constants;
    for (int64_t k = f->n_leaves + 1; k <= f->n_leaves + instruction[I_TEMPORARIES]; k++)
        f->slots.p[k] = buffer_of(f, k), f->slots.step[k] = VW;
    for (int64_t k = 0; k < f->n_leaves; k++) f->leaf[k] = rows_of(scene, f->leaves + k * VIEW);
    for (int64_t k = 0; k < f->n_uniform; k++) { /* the same for all: one vector */
        run_operation(f->operations + k * OPERATION, &f->slots, STEP);
        f->slots.step[f->operations[k * OPERATION + O_TO]] = 0;
    }
}

/* Compute a formula of rows that vary: all of them as one long row where they lie side by side, else each by itself. */
static void run_in_block(Formula *f, int is_assignment) {
    const int64_t width = f->scene->width, target = f->n_leaves;
    int is_flat = is_assignment && (f->target.step == width || f->rows == 1);
    for (int64_t k = 0; k < f->n_leaves; k++) {
        Rows *leaf = &f->leaf[k];
        f->slots.p[k] = leaf->p, f->slots.step[k] = VW;
        if (!leaf->varies) {
            f->slots.p[k] = buffer_of(f, k), f->slots.step[k] = 0;
            store(f->slots.p[k], all(*leaf->p));
            is_flat &= leaf->step == 0 || f->rows == 1;
        } else
            is_flat &= leaf->step == width || f->rows == 1;
    }
    f->slots.step[target] = VW;
    if (is_flat) {
        const int64_t numbers = f->rows * width;
        for (int64_t at = 0; at < numbers; at += CHUNK) {
            for (int64_t k = 0; k < f->n_leaves; k++)
                if (f->leaf[k].varies) f->slots.p[k] = f->leaf[k].p + at;
            f->slots.p[target] = f->target.p + at;
            run_operations(f, numbers - at < CHUNK ? numbers - at : CHUNK);
        }
        return;
    }
    for (int64_t r = 0; r < f->rows; r++) {
        for (int64_t k = 0; k < f->n_leaves; k++) {
            Number *p = f->leaf[k].p + r * f->leaf[k].step;
            if (f->leaf[k].varies)
                f->slots.p[k] = p;
            else if (f->leaf[k].step)
                store(f->slots.p[k], all(*p));
        }
        f->slots.p[target] = is_assignment ? f->target.p + r * f->target.step : buffer_of(f, target);
        run_operations(f, width);
        hand_over(f, r, 1);
    }
}

static void copy_numbers(Number *to, int64_t to_step, const Number *from, int64_t from_step, int64_t count) {
    if (to_step == 1 && from_step == 1)
        memcpy(to, from, sizeof(Number) * (size_t)count);
    else
        for (int64_t i = 0; i < count; i++) to[i * to_step] = from[i * from_step];
}

/* Compute a formula of rows that don't vary: they take the place of the examples. */
static void run_once(Formula *f, int is_assignment) {
    const int64_t target = f->n_leaves;
    for (int64_t at = 0, next = 0; at < f->rows; at = next) { /* whole steps where they are, the rest in buffers */
        const int64_t left = f->rows - at < CHUNK ? f->rows - at : CHUNK;
        const int64_t count = left < STEP ? left : left - left % STEP, numbers = whole_steps(count, STEP);
        next = at + count;
        for (int64_t k = 0; k < f->n_leaves; k++) {
            const Rows *leaf = &f->leaf[k];
            Number *own = buffer_of(f, k), *p = leaf->p + at * leaf->step;
            f->slots.p[k] = own, f->slots.step[k] = VW;
            if (leaf->step == 0) {
                store(own, all(*p));
                f->slots.step[k] = 0;
            } else if (leaf->step == 1 && numbers == count)
                f->slots.p[k] = p;
            else {
                copy_numbers(own, 1, p, leaf->step, count);
                for (int64_t i = count; i < numbers; i++) own[i] = own[count - 1];
            }
        }
        Number *own = buffer_of(f, target), *p = f->target.p + at * f->target.step;
        const int is_direct = is_assignment && f->target.step == 1 && numbers == count;
        f->slots.p[target] = is_direct ? p : own, f->slots.step[target] = VW;
        run_operations(f, numbers);
        if (is_assignment && !is_direct)
            copy_numbers(p, f->target.step, own, 1, count);
        hand_over(f, at, count);
    }
}

static void run_formula(Formula *f, int is_assignment) {
    if (f->scene->width)
        run_in_block(f, is_assignment);
    else
        run_once(f, is_assignment);
}

static void assign(const Scene *scene, const int64_t *instruction) {
    Formula f;
    begin(&f, scene, instruction);
    if (!scene->width && f.n_operations == 1 && f.operations[O_CODE] == F_COPY && f.operations[O_A] == 0) {
        copy_numbers(f.target.p, f.target.step ? f.target.step : 1, f.leaf->p, f.leaf->step, f.rows);
        return;
    }
    f.take = take_nothing;
    run_formula(&f, 1);
}

/* ---------------------------------------------------------------------------------------------------- reductions */

INLINE vec combined(int64_t function, vec total, vec a) {
    return function == BY_SUM ? total + a : function == BY_MAXIMUM ? v_maximum(total, a) : v_minimum(total, a);
}

static void reduce_row(const Formula *f, const Number *value, int64_t step, int64_t row, int64_t count) {
    const int64_t *instruction = f->instruction, function = instruction[I_FUNCTION], terms = f->rows / f->target.count;
    const int64_t by_terms = instruction[I_OVER] == OVER_ROWS_LAST;
    (void)count;
    Number *total = f->target.p + (by_terms ? row / terms : row % f->target.count) * f->target.step;
    const int is_first = !instruction[I_ADD] && (by_terms ? row % terms == 0 : row < f->target.count);
    for (int64_t i = 0; i < f->scene->width; i += VW, value += step)
        store(total + i, is_first ? load(value) : combined(function, load(total + i), load(value)));
}

static void reduce_numbers(const Formula *f, const Number *value, int64_t step, int64_t first, int64_t count) {
    const int64_t *instruction = f->instruction, function = instruction[I_FUNCTION], targets = f->target.count;
    const int64_t terms = f->rows / targets, by_terms = instruction[I_OVER] == OVER_ROWS_LAST || targets == 1;
    int64_t target = by_terms ? first / terms : first % targets, term = by_terms ? first % terms : first / targets;
    for (int64_t i = 0; i < count;) {
        const int64_t here = !by_terms ? 1 : terms - term < count - i ? terms - term : count - i; /* into one target */
        const int is_first = !instruction[I_ADD] && term == 0;
        Number total = is_first ? value[step ? i : 0] : f->target.p[target * f->target.step];
        for (int64_t k = is_first; k < here; k++) {
            const Number a = value[step ? i + k : 0];
            total = function == BY_SUM ? total + a : combined(function, all(total), all(a))[0];
        }
        f->target.p[target * f->target.step] = total;
        i += here;
        if (by_terms)
            target++, term = 0;
        else if (++target == targets)
            target = 0, term++;
    }
}

static void sum_numbers(const Formula *f, const Number *value, int64_t step, int64_t first, int64_t count) {
    vec sum = {0};
    Number total = f->instruction[I_ADD] || first ? *f->target.p : 0.0;
    int64_t i = 0;
    for (; i + VW <= count; i += VW, value += step) sum += load(value);
    for (int k = 0; i + k < count; k++) total += value[k];
    *f->target.p = total + sum_of(sum);
}

/* Over the batch: into one number for each row ("batch"), or for all ("both"). */
static void reduce_examples(const Formula *f, const Number *value, int64_t step, int64_t row, int64_t count) {
    const Scene *scene = f->scene;
    const int is_both = f->instruction[I_OVER] == OVER_BOTH;
    Number *total = f->target.p + (is_both ? 0 : row * f->target.step);
    vec sum = {0};
    (void)count;
    for (int64_t i = 0; i < scene->valid; i += VW, value += step)
        sum += of_examples(scene, load(value), i);
    const int is_first = !f->instruction[I_ADD] && scene->block == 0 && (!is_both || row == 0);
    *total = is_first ? sum_of(sum) : *total + sum_of(sum);
}

static void reduce(const Scene *scene, const int64_t *instruction) {
    Formula f;
    begin(&f, scene, instruction);
    const int64_t over = instruction[I_OVER];
    if (over == OVER_BATCH || over == OVER_BOTH)
        f.take = reduce_examples;
    else
        f.take = scene->width ? reduce_row : over == OVER_ANY ? sum_numbers : reduce_numbers;
    run_formula(&f, 0);
}

static void scatter_rows(const Formula *f, const Number *value, int64_t step, int64_t first, int64_t count) {
    const int64_t *index = f->operations + f->n_operations * OPERATION, add = f->instruction[I_ADD];
    if (f->scene->width) {
        Number *to = f->target.p + index[first] * f->scene->width;
        for (int64_t i = 0; i < f->scene->width; i += VW, value += step)
            store(to + i, add ? load(to + i) + load(value) : load(value));
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        Number a = step ? value[i] : value[0], *to = f->target.p + index[first + i];
        *to = add ? *to + a : a;
    }
}

static void scatter(const Scene *scene, const int64_t *instruction) {
    Formula f;
    begin(&f, scene, instruction);
    f.take = scatter_rows;
    run_formula(&f, 0);
}

/* ------------------------------------------------------------------------------------------------------ products */

#if WIDE == 8
enum { TILE = 4 };
#else
enum { TILE = 2 };
#endif

/* rows × vectors numbers of target (+)= M·source: what is in registers at a time. */
INLINE void multiply_tile(const int64_t rows, const int64_t vectors, int64_t terms, const Number *m, int64_t down,
                          int64_t across, const Number *source, int64_t source_step, const Number *bias, Number *to,
                          int64_t to_step, int add) {
    vec sum[4][TILE];
    UNROLLED for (int64_t r = 0; r < rows; r++)
        UNROLLED for (int64_t v = 0; v < vectors; v++) sum[r][v] = bias ? all(bias[r * down]) : (vec){0};
    for (int64_t k = 0; k < terms; k++) {
        vec x[TILE];
        UNROLLED for (int64_t v = 0; v < vectors; v++) x[v] = load(source + k * source_step + v * VW);
        UNROLLED for (int64_t r = 0; r < rows; r++) {
            vec w = all(m[r * down + k * across]);
            UNROLLED for (int64_t v = 0; v < vectors; v++) sum[r][v] = madd(w, x[v], sum[r][v]);
        }
    }
    UNROLLED for (int64_t r = 0; r < rows; r++)
        UNROLLED for (int64_t v = 0; v < vectors; v++) {
            Number *p = to + r * to_step + v * VW;
            store(p, add ? load(p) + sum[r][v] : sum[r][v]);
        }
}

#define TILES(rows)                                                                                                    \
    case rows:                                                                                                         \
        for (; lane + TILE * VW <= width; lane += TILE * VW)                                                           \
            multiply_tile(rows, TILE, terms, m, down, across, source + lane, source_step, bias, to + lane, to_step,    \
                          add);                                                                                        \
        for (; lane < width; lane += VW)                                                                               \
            multiply_tile(rows, 1, terms, m, down, across, source + lane, source_step, bias, to + lane, to_step, add); \
        break;

static void multiply(int64_t rows, int64_t terms, const Number *m, int64_t down, int64_t across, const Number *source,
                     int64_t source_step, const Number *bias, Number *to, int64_t to_step, int64_t width, int add) {
    while (rows > 0) {
        int64_t now = rows < 4 ? rows : 4, lane = 0;
        switch (now) {
            TILES(1)
            TILES(2)
            TILES(3)
            TILES(4)
        }
        rows -= now, m += now * down, to += now * to_step;
        if (bias) bias += now * down;
    }
}

/* Two accumulators for each of four rows where there are 16 registers, four where there are 32. */
#if WIDE == 8 || defined(__aarch64__)
enum { ACROSS = 4 };
#else
enum { ACROSS = 2 };
#endif

/* Add the products of some examples to rows × columns sums; where `last` is given, of those alone that it names. */
INLINE void add_products(const int64_t rows, const int64_t columns, vec sum[4][ACROSS], const Number *upstream,
                         int64_t up_step, const Number *source, int64_t source_step, const ivec *last) {
    vec x[ACROSS];
    UNROLLED for (int64_t c = 0; c < columns; c++) {
        x[c] = source ? load(source + c * source_step) : all((Number)1.0);
        if (last) x[c] = (vec)((ivec)x[c] & *last);
    }
    UNROLLED for (int64_t r = 0; r < rows; r++) {
        vec u = load(upstream + r * up_step);
        if (last) u = (vec)((ivec)u & *last);
        UNROLLED for (int64_t c = 0; c < columns; c++) sum[r][c] = madd(u, x[c], sum[r][c]);
    }
}

/* rows × columns numbers of upstream·sourceᵀ, added up over the examples of all windows; without a source it is 1. */
INLINE void multiply_by_examples(const int64_t rows, const int64_t columns, const Scene *scene, int64_t windows,
                                 const Number *upstream, int64_t up_step, const Number *source, int64_t source_step,
                                 Number *to, int64_t down, int64_t across, int add) {
    vec sum[4][ACROSS] = {{{0}}};
    const int64_t whole = scene->valid / VW * VW, up_row = windows * up_step, source_row = windows * source_step;
    const ivec last = last_of(scene);
    for (int64_t w = 0; w < windows; w++, upstream += up_step, source = source ? source + source_step : source) {
        for (int64_t lane = 0; lane < whole; lane += VW)
            add_products(rows, columns, sum, upstream + lane, up_row, source ? source + lane : source, source_row,
                         NULL);
        if (whole < scene->valid)
            add_products(rows, columns, sum, upstream + whole, up_row, source ? source + whole : source, source_row,
                         &last);
    }
    Number totals[4 * ACROSS];
    const int64_t count = rows * columns;
    if (count % 4 == 0)
        UNROLLED for (int64_t k = 0; k < count; k += 4) {
#define SUM(k) sum[(k) / columns][(k) % columns]
            four_sums(SUM(k), SUM(k + 1), SUM(k + 2), SUM(k + 3), totals + k);
        }
    else
        UNROLLED for (int64_t k = 0; k < count; k++) totals[k] = sum_of(SUM(k));
    UNROLLED for (int64_t r = 0; r < rows; r++)
        UNROLLED for (int64_t c = 0; c < columns; c++) {
            Number *p = to + r * down + c * across, total = totals[r * columns + c];
            *p = add ? *p + total : total;
        }
}

/* The same for some whole vectors of columns that lie side by side: examples become rows of a panel, whose numbers are
   multiplied by one of upstream each. There are no sums within a vector then, which few examples don't outweigh. */
enum { FEWEST_ROWS = 8, PANEL_EXAMPLES = 128, PANEL_COLUMNS = TILE * VW };

static void multiply_panels(const Scene *scene, int64_t rows, int64_t columns, int64_t windows, const Rows *upstream,
                            const Rows *source, Number *to, int64_t down, int add) {
    _Alignas(STEP_BYTES) Number panel[PANEL_EXAMPLES * PANEL_COLUMNS];
    for (int64_t c = 0; c < columns; c += PANEL_COLUMNS) {
        const int64_t wide = columns - c < PANEL_COLUMNS ? columns - c : PANEL_COLUMNS;
        for (int64_t w = 0; w < windows; w++)
            for (int64_t start = 0; start < scene->valid; start += PANEL_EXAMPLES) {
                const int64_t examples = scene->valid - start < PANEL_EXAMPLES ? scene->valid - start : PANEL_EXAMPLES;
                transpose(source->p + (c * windows + w) * source->step + start, windows * source->step, wide, examples,
                          panel, wide);
                multiply(rows, examples, upstream->p + w * upstream->step + start, windows * upstream->step, 1, panel,
                         wide, NULL, to + c, down, wide, add || w || start);
            }
    }
}

static void product_by_matrix(const Scene *scene, const int64_t *instruction, Number *to, const Rows *source,
                              const Rows *upstream, int add) {
    const int64_t *matrix = instruction + D_MATRIX, windows = instruction[D_WINDOWS], bias = instruction[D_BIAS];
    const int64_t rows = matrix[M_ROWS], columns = matrix[M_COLUMNS] - bias, down = matrix[M_DOWN],
                  across = matrix[M_ACROSS], us = upstream->step, ss = source->step;
#define PRODUCT_OF(tall, wide, x)                                                                                      \
    multiply_by_examples(tall, wide, scene, windows, u, us, x, ss, to + r * down + c * across, down, across, add)
    const int64_t in_panels = across == 1 && rows >= FEWEST_ROWS ? columns / VW * VW : 0;
    if (in_panels) multiply_panels(scene, rows, in_panels, windows, upstream, source, to, down, add);
    for (int64_t r = 0, tall; r < rows; r += tall) {
        tall = rows - r < 4 ? 1 : 4;
        const Number *u = upstream->p + r * windows * us;
        int64_t c = in_panels;
        for (; c + ACROSS <= columns; c += ACROSS)
            if (tall == 4)
                PRODUCT_OF(4, ACROSS, source->p + c * windows * ss);
            else
                PRODUCT_OF(1, ACROSS, source->p + c * windows * ss);
        for (; c < columns + bias; c++)
            if (tall == 4)
                PRODUCT_OF(4, 1, c < columns ? source->p + c * windows * ss : NULL);
            else
                PRODUCT_OF(1, 1, c < columns ? source->p + c * windows * ss : NULL);
    }
}

/* The same where nothing varies: one example, a number at a time. */
static void product_once(const int64_t *instruction, const Number *m, Number *to, const Rows *target,
                         const Rows *source, const Rows *upstream) {
    const int64_t *matrix = instruction + D_MATRIX, windows = instruction[D_WINDOWS], bias = instruction[D_BIAS];
    const int64_t down = matrix[M_DOWN], across = matrix[M_ACROSS], rows = matrix[M_ROWS], kind = instruction[D_KIND];
    const int64_t columns = matrix[M_COLUMNS] - bias, add = instruction[D_ADD];
    if (kind == BY_MATRIX) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns + bias; c++) {
                Number sum = 0.0, *p = to + r * down + c * across;
                for (int64_t w = 0; w < windows; w++)
                    sum += upstream->p[(r * windows + w) * upstream->step] *
                           (c < columns ? source->p[(c * windows + w) * source->step] : 1.0);
                *p = add ? *p + sum : sum;
            }
        return;
    }
    const Rows *from = kind == FORWARD ? source : upstream;
    const int64_t height = kind == FORWARD ? rows : columns, terms = kind == FORWARD ? columns : rows;
    const int64_t next_row = kind == FORWARD ? down : across, next_term = kind == FORWARD ? across : down;
    for (int64_t r = 0; r < height; r++)
        for (int64_t w = 0; w < windows; w++) {
            Number sum = bias && kind == FORWARD ? m[r * down + columns * across] : 0.0;
            Number *p = target->p + (r * windows + w) * target->step;
            for (int64_t k = 0; k < terms; k++)
                sum += m[r * next_row + k * next_term] * from->p[(k * windows + w) * from->step];
            *p = add ? *p + sum : sum;
        }
}

static void product(const Scene *scene, const int64_t *instruction) {
    const int64_t *matrix = instruction + D_MATRIX, windows = instruction[D_WINDOWS], kind = instruction[D_KIND];
    const int64_t rows = matrix[M_ROWS], columns = matrix[M_COLUMNS], down = matrix[M_DOWN], across = matrix[M_ACROSS];
    const int64_t bias = instruction[D_BIAS], width = scene->width;
    Number *m = rows_from(scene, matrix[M_ARRAY]).p + matrix[M_START];
    Rows target = {0}, source = {0}, upstream = {0};
    if (kind != BY_MATRIX) target = rows_of(scene, instruction + D_TARGET);
    if (kind != BY_SOURCE) source = rows_of(scene, instruction + D_SOURCE);
    if (kind != FORWARD) upstream = rows_of(scene, instruction + D_UPSTREAM);
    if (!width)
        product_once(instruction, m, m, &target, &source, &upstream);
    else if (kind == BY_MATRIX)
        product_by_matrix(scene, instruction, m, &source, &upstream, instruction[D_ADD] || scene->block);
    else {
        const Rows *from = kind == FORWARD ? &source : &upstream;
        for (int64_t w = 0; w < windows; w++) {
            const Number *x = from->p + w * from->step;
            Number *to = target.p + w * target.step;
            if (kind == FORWARD)
                multiply(rows, columns - bias, m, down, across, x, windows * from->step,
                         bias ? m + (columns - 1) * across : NULL, to, windows * target.step, width,
                         (int)instruction[D_ADD]);
            else
                multiply(columns, rows, m, across, down, x, windows * from->step, NULL, to, windows * target.step,
                         width, (int)instruction[D_ADD]);
        }
    }
}

/* ------------------------------------------------------------------------------------------------- rows by number */

static void gather(const Scene *scene, const int64_t *instruction) {
    const Rows to = rows_of(scene, instruction + G_TARGET), from = rows_from(scene, instruction[G_SOURCE]);
    const int64_t *index = instruction + G_INDEX, width = scene->width;
    for (int64_t r = 0; r < to.count; r++) {
        Number *p = to.p + r * to.step;
        const Number *q = from.p + index[r] * from.step;
        if (!width)
            *p = *q;
        else
            for (int64_t i = 0; i < width; i += VW) store(p + i, from.varies ? load(q + i) : all(*q));
    }
}

/* The row of a table that an index names; -1 where it names none. */
INLINE int64_t named(Number index, int64_t count) {
    return index >= 0.0 && index < (Number)count && (Number)(int64_t)index == index ? (int64_t)index : -1;
}

static void pick(const Scene *scene, const int64_t *instruction) {
    const Rows index = rows_of(scene, instruction + K_INDEX), table = rows_of(scene, instruction + K_TABLE),
               to = rows_of(scene, instruction + K_TARGET);
    const int64_t size = to.count / index.count, items = table.count / size, width = scene->width ? scene->width : 1;
    for (int64_t q = 0; q < index.count; q++)
        for (int64_t i = 0; i < width; i++) {
            const int64_t item = named(index.p[q * index.step + i * index.varies], items);
            for (int64_t j = 0; j < size; j++)
                to.p[(q * size + j) * to.step + i] =
                    item < 0 ? 0.0 : table.p[(item * size + j) * table.step + i * table.varies];
        }
}

static void pick_gradient(const Scene *scene, const int64_t *instruction) {
    const Rows index = rows_of(scene, instruction + K_INDEX), to = rows_of(scene, instruction + K_TABLE),
               upstream = rows_of(scene, instruction + K_TARGET);
    const int64_t size = upstream.count / index.count, items = to.count / size;
    const int64_t examples = scene->width ? scene->valid : 1;
    for (int64_t i = 0; i < examples; i++)
        for (int64_t q = 0; q < index.count; q++) {
            const int64_t item = named(index.p[q * index.step + i * index.varies], items);
            for (int64_t j = 0; item >= 0 && j < size; j++)
                to.p[(item * size + j) * to.step + i * to.varies] +=
                    upstream.p[(q * size + j) * upstream.step + i * upstream.varies];
        }
}

static void fill(const Scene *scene, const int64_t *instruction) {
    const Rows to = rows_from(scene, instruction[F_ARRAY]);
    memset(to.p, 0, sizeof(Number) * (size_t)(to.count * (scene->width ? scene->width : 1)));
}

/* ---------------------------------------------------------------------------------------------- in, out, and all */

static void read_input(const Scene *scene, const int64_t *instruction) {
    const Rows to = rows_from(scene, instruction[R_ARRAY]);
    const Input *input = &scene->machine->inputs[instruction[R_INPUT]];
    const Number *from = input->data + scene->block * scene->table[H_BLOCK] * input->down;
    const int64_t width = scene->width, valid = scene->valid, rows = to.count;
    const int is_transposed = input->across == 1 && input->down != 1;
    if (is_transposed) transpose(from, input->down, valid, rows, to.p, width);
    for (int64_t r = 0; r < rows; r++) {
        Number *p = to.p + r * width;
        if (!is_transposed) copy_numbers(p, 1, from + r * input->across, input->down, valid);
        for (int64_t i = valid; i < width; i++) p[i] = p[valid - 1];
    }
}

static void write_results(const Scene *scene, const int64_t *instruction) {
    const Rows from = rows_of(scene, instruction + W_VIEW);
    const Machine *machine = scene->machine;
    const int64_t first = instruction[W_ROW], step = machine->varying ? machine->varying_step : machine->n;
    Number *varying = machine->varying ? machine->varying : scene->places.varying;
    for (int64_t r = 0; r < from.count; r++) {
        const Number *row = from.p + r * from.step;
        if (!scene->width) {
            scene->places.results[first + r] = *row;
            continue;
        }
        Number *to = varying + (first + r) * step + scene->block * scene->table[H_BLOCK];
        if (first + r >= machine->first_unsigned)
            for (int64_t i = 0; i < scene->valid; i++) to[i] = row[i] + (Number)0.0;
        else
            memcpy(to, row, sizeof(Number) * (size_t)scene->valid);
    }
}

static void run_instructions(const Scene *scene, int64_t start, int64_t end) {
    for (const int64_t *instruction = scene->table + start; instruction < scene->table + end;
         instruction += instruction[I_LENGTH])
        switch (instruction[I_SORT]) {
        case ASSIGN: assign(scene, instruction); break;
        case REDUCE: reduce(scene, instruction); break;
        case SCATTER: scatter(scene, instruction); break;
        case CALL: call(scene, instruction); break;
        case PRODUCT: product(scene, instruction); break;
        case GATHER: gather(scene, instruction); break;
        case PICK: pick(scene, instruction); break;
        case PICK_GRADIENT: pick_gradient(scene, instruction); break;
        case FILL: fill(scene, instruction); break;
        case READ: read_input(scene, instruction); break;
        case WRITE: write_results(scene, instruction); break;
        default: break;
        }
}

void RUN(const Machine *machine) {
    Scene scene = {machine, machine->table, machine->table + HEAD, {0}, 0, 0, 0, {0}};
    const int64_t *phase = scene.arrays + scene.table[H_ARRAYS] * ARRAY;
    places_of(scene.table, machine->memory, machine->n, &scene.places);
    for (int64_t k = 0; k < scene.table[H_PHASES]; k++, phase += PHASE) {
        const int64_t size = phase[P_BLOCKS] ? scene.table[H_BLOCK] : machine->n;
        scene.block = 0;
        for (int64_t left = machine->n; left > 0; left -= size, scene.block++) {
            scene.valid = phase[P_BLOCKS] ? (left < size ? left : size) : 0;
            scene.width = whole_steps(scene.valid, STEP);
            const int64_t in_last = (scene.valid - 1) % VW + 1;
            for (int64_t i = 0; i < STEP_BYTES; i++) scene.last[i] = i < in_last * (int64_t)sizeof(Number) ? -1 : 0;
            run_instructions(&scene, phase[P_START], phase[P_END]);
        }
    }
}
