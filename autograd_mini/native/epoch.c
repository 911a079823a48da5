/* Epochs of a training: batch after batch, both passes, clipping, and the optimizer's rule, as `Trainer` does them.

   `epoch.py` writes an Epoch. The rules are those of `optim/rules.py`, with the same operations in the same order. It is
   compiled for each instruction set, whose name KERNEL is, so that they take as many parameters at a time. */
#include <float.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "machine.h"

enum { MOST_COLUMNS = 3, MOST_STATES = 3 };
enum { SGD, ADAGRAD, RMSPROP, ADAM, ADAMW, RULES };
static const int64_t STATES[RULES] = {1, 1, 3, 2, 2};

/* An input of the program: numbers, a row for each example; drawn for this call, in the order of the batches, or not. */
typedef struct {
    const double *data;
    int64_t rows, width, is_drawn;
} Column;

/* A program with its memory for batches of one size. */
typedef struct {
    const Machine *machine;
    const double *output, *effects; /* where a run leaves them in the machine's memory */
    int64_t outputs;                /* one for each example, or 1 */
} Batches;

typedef struct {
    /* The examples: which row comes when, in batches of `size` of which the last may be smaller. */
    const int64_t *order;
    int64_t n, size, columns;
    Column column[MOST_COLUMNS];
    Batches batches[2]; /* the second for the last one, if it is smaller */
    int64_t instruction_set;
    /* What is trained: θ, as it was before the last step, and the gradient of that. */
    int64_t parameters;
    const int64_t *place; /* of each in the program's θ; -1 for none */
    double *program_theta, *theta, *before, *gradient; /* θ may be the program's own */
    const uint8_t *present; /* which have a gradient; NULL for all */
    /* How: no clipping where its bound is 0. */
    double clip_value, clip_norm;
    int64_t rule, nesterov, centered;
    double momentum, dampening, weight_decay, lr_decay, eps, alpha, beta1, beta2;
    double *state[MOST_STATES]; /* NULL for what the rule doesn't need */
    const double *rates;        /* the learning rate of each batch of this call */
    /* This call: the first of its batches, and how many at most, in how many seconds. The effects of each go to
       `effects`. */
    int64_t first, count, effects_each;
    double seconds, *effects;
    int64_t step; /* of the rule; it goes on */
    /* What it says: the sum of the losses of all examples so far, the last batch's loss, how many batches were run and
       how many of them made a step, and 1 where after the last step θ isn't finite. */
    double total, loss;
    int64_t run, stepped, is_lost;
} Epoch;

/* ------------------------------------------------------------------------------------------------------ the check */

static int is_within(int64_t x, int64_t least, int64_t most) { return x >= least && x <= most; }

static int64_t whole_batches(const Epoch *e) { return (e->n + e->size - 1) / e->size; }

static int is_in_memory(const Machine *machine, const double *p, int64_t count) {
    const uintptr_t start = (uintptr_t)machine->memory, at = (uintptr_t)p, end = start + 8 * (uintptr_t)machine->length;
    return at >= start && at <= end && (uintptr_t)count <= (end - at) / 8;
}

static int is_machine(const Epoch *e, const Batches *batches, int64_t n) {
    const Machine *machine = batches->machine;
    if (!machine || machine->varying || machine->n != n || machine->theta != e->program_theta) return 0;
    if (machine->table[H_INPUTS] != e->columns) return 0;
    if (batches->outputs != 1 && batches->outputs != n) return 0;
    for (int64_t k = 0; k < e->columns; k++)
        if (!machine->inputs[k].data || machine->inputs[k].down != e->column[k].width || machine->inputs[k].across != 1)
            return 0;
    return is_in_memory(machine, batches->output, batches->outputs) &&
           (!e->effects_each || is_in_memory(machine, batches->effects, e->effects_each));
}

/* 0 for an epoch that may run; else which of its parts is none, as `epoch.py` names them. */
static int64_t wrong_part(const Epoch *e) {
    if (!e->order || !is_within(e->n, 1, INT32_MAX) || !is_within(e->size, 1, e->n)) return 1;
    if (!is_within(e->columns, 0, MOST_COLUMNS)) return 2;
    if (!is_within(e->first, 0, whole_batches(e) - 1) || !is_within(e->count, 1, whole_batches(e) - e->first)) return 3;
    const int64_t start = e->first * e->size, end = start + e->count * e->size < e->n ? start + e->count * e->size : e->n;
    for (int64_t k = 0; k < e->columns; k++) {
        const Column *column = e->column + k;
        if (!column->data || !is_within(column->width, 1, INT32_MAX) || !is_within(column->rows, 1, INT32_MAX)) return 4;
        if (column->is_drawn) {
            if (column->rows < end - start) return 4;
        } else
            for (int64_t i = start; i < end; i++)
                if (!is_within(e->order[i], 0, column->rows - 1)) return 5;
    }
    const int64_t rest = e->n % e->size;
    if (e->effects_each < 0 || (e->effects_each && !e->effects)) return 6;
    if (!is_machine(e, e->batches, e->size) || (rest && !is_machine(e, e->batches + 1, rest))) return 6;
    if (!is_within(e->parameters, 1, INT32_MAX) || !e->place || !e->theta || !e->before || !e->gradient) return 7;
    for (int64_t i = 0; i < e->parameters; i++) {
        if (!is_within(e->place[i], -1, e->batches->machine->table[H_THETA] - 1)) return 8;
        if (e->theta == e->program_theta && e->place[i] != i) return 8;
    }
    if (!is_within(e->rule, SGD, RULES - 1) || !e->rates || e->step < 0) return 9;
    for (int64_t k = 0; k < STATES[e->rule]; k++) {
        const int is_needed = e->rule == SGD       ? e->momentum != 0.0
                              : e->rule == RMSPROP ? k == 0 || (k == 1 ? e->centered != 0 : e->momentum != 0.0)
                                                   : 1;
        if (is_needed && !e->state[k]) return 10;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ the rules */

/* A moment that goes to 0 becomes subnormal at last, and with such numbers a processor takes ten times as long: 0 is
   as good, but beside an ε so small that their roots aren't lost in it. */
static double flushed(double x, double least) { return fabs(x) < least ? 0.0 : x; }
static double least_beside(double eps) { return eps > 1e-130 ? DBL_MIN : 0.0; }

static void sgd(const Epoch *e, double *restrict theta, const double *restrict grad, double rate) {
    const int64_t n = e->parameters;
    const double decay = e->weight_decay, momentum = e->momentum, share = 1.0 - e->dampening * (e->step > 0);
    double *restrict velocity = e->state[0];
    if (momentum == 0.0)
        for (int64_t i = 0; i < n; i++) theta[i] -= rate * (grad[i] + decay * theta[i]);
    else
        for (int64_t i = 0; i < n; i++) {
            const double g = grad[i] + decay * theta[i];
            velocity[i] = flushed(momentum * velocity[i] + share * g, DBL_MIN);
            theta[i] -= rate * (e->nesterov ? g + momentum * velocity[i] : velocity[i]);
        }
}

static void adagrad(const Epoch *e, double *restrict theta, const double *restrict grad, double rate) {
    const double decay = e->weight_decay, decayed = rate / (1.0 + (double)e->step * e->lr_decay), eps = e->eps;
    double *restrict total = e->state[0];
    for (int64_t i = 0; i < e->parameters; i++) {
        const double g = grad[i] + decay * theta[i];
        total[i] += g * g;
        theta[i] -= decayed * g / (sqrt(total[i]) + eps);
    }
}

static inline void rmsprop_of(const Epoch *e, double *restrict theta, const double *restrict grad, double rate,
                              int is_centered, int has_momentum) {
    const double decay = e->weight_decay, momentum = e->momentum, alpha = e->alpha, rest = 1.0 - alpha;
    const double eps = e->eps, least = least_beside(eps);
    double *restrict square = e->state[0], *restrict mean = e->state[1], *restrict velocity = e->state[2];
    for (int64_t i = 0; i < e->parameters; i++) {
        const double g = grad[i] + decay * theta[i];
        double size = square[i] = flushed(alpha * square[i] + rest * g * g, least);
        if (is_centered) {
            mean[i] = flushed(alpha * mean[i] + rest * g, least);
            size -= mean[i] * mean[i];
            size = size < 0.0 ? 0.0 : size; /* below 0 by rounding */
        }
        double change = g / (sqrt(size) + eps);
        if (has_momentum) change = velocity[i] = flushed(momentum * velocity[i] + change, DBL_MIN);
        theta[i] -= rate * change;
    }
}

static void rmsprop(const Epoch *e, double *restrict theta, const double *restrict grad, double rate) {
    if (e->centered)
        e->momentum != 0.0 ? rmsprop_of(e, theta, grad, rate, 1, 1) : rmsprop_of(e, theta, grad, rate, 1, 0);
    else
        e->momentum != 0.0 ? rmsprop_of(e, theta, grad, rate, 0, 1) : rmsprop_of(e, theta, grad, rate, 0, 0);
}

static void adam(const Epoch *e, double *restrict theta, const double *restrict grad, double rate) {
    const int is_decoupled = e->rule == ADAMW;
    const double beta1 = e->beta1, beta2 = e->beta2, rest1 = 1.0 - beta1, rest2 = 1.0 - beta2;
    const double eps = e->eps, least = least_beside(eps);
    const double t = (double)(e->step + 1), corrected = rate / (1.0 - pow(beta1, t)), root = sqrt(1.0 - pow(beta2, t));
    const double decay = is_decoupled ? 0.0 : e->weight_decay, kept = is_decoupled ? 1.0 - rate * e->weight_decay : 1.0;
    double *restrict mean = e->state[0], *restrict square = e->state[1];
    for (int64_t i = 0; i < e->parameters; i++) {
        const double g = grad[i] + decay * theta[i];
        mean[i] = flushed(beta1 * mean[i] + rest1 * g, least);
        square[i] = flushed(beta2 * square[i] + rest2 * g * g, least);
        theta[i] = theta[i] * kept - corrected * mean[i] / (sqrt(square[i]) / root + eps);
    }
}

static void update(Epoch *e, double rate) {
    switch (e->rule) {
    case SGD: sgd(e, e->theta, e->gradient, rate); break;
    case ADAGRAD: adagrad(e, e->theta, e->gradient, rate); break;
    case RMSPROP: rmsprop(e, e->theta, e->gradient, rate); break;
    default: adam(e, e->theta, e->gradient, rate);
    }
    e->step++;
}

/* ------------------------------------------------------------------------------------------------------ one batch */

static double norm_of(const double *numbers, int64_t n) {
    double largest = 0.0, sums[4] = {0.0, 0.0, 0.0, 0.0}; /* of which none waits for another */
    for (int64_t i = 0; i < n; i++) sums[i % 4] += numbers[i] * numbers[i];
    const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    if (sum > 1e-280 && sum < 1e300) return sqrt(sum);
    for (int64_t i = 0; i < n; i++) { /* else as `vector_norm` does it, without overflow in between */
        const double size = fabs(numbers[i]);
        if (isnan(size)) return size;
        if (size > largest) largest = size;
    }
    if (isinf(largest) || largest == 0.0) return largest;
    double share = 0.0;
    for (int64_t i = 0; i < n; i++) share += (numbers[i] / largest) * (numbers[i] / largest);
    return largest * sqrt(share);
}

static void clip(const Epoch *e, double *restrict gradient) {
    const int64_t n = e->parameters;
    const double most = e->clip_value;
    if (most != 0.0)
        for (int64_t i = 0; i < n; i++) gradient[i] = gradient[i] < -most ? -most : gradient[i] > most ? most : gradient[i];
    if (e->clip_norm != 0.0) {
        const double factor = e->clip_norm / (norm_of(gradient, n) + 1e-6);
        if (!(factor >= 1.0))
            for (int64_t i = 0; i < n; i++) gradient[i] *= factor;
    }
}

static void gather(const Epoch *e, const Machine *machine, int64_t start) {
    const int64_t first = e->first * e->size;
    for (int64_t k = 0; k < e->columns; k++) {
        const Column *column = e->column + k;
        const size_t width = (size_t)column->width;
        double *to = (double *)(uintptr_t)machine->inputs[k].data;
        for (int64_t i = start; i < start + machine->n; i++, to += width) {
            const double *from = column->data + (size_t)(column->is_drawn ? i - first : e->order[i]) * width;
            if (width == 1)
                *to = *from;
            else
                memcpy(to, from, width * sizeof(double));
        }
    }
}

/* Run both passes on a batch; the gradient is the machine's then. Returns what the machine does. */
static int64_t run(Epoch *e, const Batches *batches) {
    const Machine *machine = batches->machine;
    if (e->theta != e->program_theta)
        for (int64_t i = 0; i < e->parameters; i++)
            if (e->place[i] >= 0) e->program_theta[e->place[i]] = e->theta[i];
    const int64_t failed = autograd_mini_run(machine, e->instruction_set);
    if (failed) return failed;
    if (e->effects_each)
        memcpy(e->effects + e->run * e->effects_each, batches->effects, (size_t)e->effects_each * sizeof(double));
    e->run++;
    double sum = batches->output[0];
    for (int64_t i = 1; i < batches->outputs; i++) sum += batches->output[i];
    e->loss = batches->outputs > 1 ? sum * (1.0 / (double)machine->n) : sum; /* the same for all examples */
    return 0;
}

/* Whether all exponents are others than that of infinity and nan, to which 1 is added until it carries. */
static int are_finite(const double *numbers, int64_t n) {
    const uint64_t least = UINT64_C(1) << 52;
    uint64_t carried = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, numbers + i, sizeof bits);
        carried |= (bits & (UINT64_C(0x7ff) << 52)) + least;
    }
    return !(carried >> 63);
}

/* Clip the gradient and step; returns whether θ is finite then. */
static int is_stepped(Epoch *e, const Machine *machine) {
    const int64_t n = e->parameters;
    memcpy(e->before, e->theta, (size_t)n * sizeof(double));
    if (e->theta == e->program_theta)
        memcpy(e->gradient, machine->gradient, (size_t)n * sizeof(double));
    else
        for (int64_t i = 0; i < n; i++) e->gradient[i] = e->place[i] >= 0 ? machine->gradient[e->place[i]] : 0.0;
    clip(e, e->gradient);
    update(e, e->rates[e->stepped]);
    if (e->present)
        for (int64_t i = 0; i < n; i++) e->theta[i] = e->present[i] ? e->theta[i] : e->before[i];
    e->stepped++;
    return are_finite(e->theta, n);
}

static double now(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Run some batches, one at least, up to the first one whose loss isn't finite or whose step leads to a θ that isn't,
   or after which the time is over. Returns 0, or what isn't as it must be: nothing was run then. */
#define NAMED_(a, b) a##b
#define NAMED(a, b) NAMED_(a, b)
int64_t NAMED(epoch_, KERNEL)(void *epoch) {
    Epoch *e = epoch;
    e->run = e->stepped = e->is_lost = 0;
    const int64_t wrong = wrong_part(e);
    if (wrong) return wrong;
    const double started = now();
    for (int64_t k = e->first; k < e->first + e->count; k++) {
        const int64_t start = k * e->size, is_smaller = start + e->size > e->n;
        const Batches *batches = e->batches + is_smaller;
        gather(e, batches->machine, start);
        const int64_t failed = run(e, batches);
        if (failed) return 100 + failed;
        if (!isfinite(e->loss)) return 0;
        e->is_lost = !is_stepped(e, batches->machine);
        if (e->is_lost) return 0;
        e->total += e->loss * (double)batches->machine->n;
        const double passed = now() - started; /* below 0 where somebody has set the clock */
        if (!(passed >= 0.0 && passed < e->seconds)) return 0;
    }
    return 0;
}
