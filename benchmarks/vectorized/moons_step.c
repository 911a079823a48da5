/* The step on moons by hand in C: loss, gradient and update of a 2-16-16-1 network, 100 examples of two inputs.

   Examples are innermost, in blocks that stay in registers; theta and gradient hold a row [w b] for each neuron. A sum
   over examples has partial sums, so that compilers may compute it by vectors. */
#include <string.h>

enum { N = 100, INPUTS = 2, WIDTH = 16, BLOCK = 20 };
enum { FIRST = WIDTH * (INPUTS + 1), SECOND = WIDTH * (WIDTH + 1), SIZE = FIRST + SECOND + WIDTH + 1 };

/* One layer's outputs: b + W h for each example. */
static inline void forward(int n_in, int n_out, const double *W, const double h[][N], double z[][N]) {
    for (int start = 0; start < N; start += BLOCK)
        for (int j = 0; j < n_out; j++) {
            const double *row = W + j * (n_in + 1);
            double sum[BLOCK];
            for (int k = 0; k < BLOCK; k++) sum[k] = row[n_in];
            for (int i = 0; i < n_in; i++)
                for (int k = 0; k < BLOCK; k++) sum[k] += row[i] * h[i][start + k];
            memcpy(z[j] + start, sum, sizeof sum);
        }
}

static void relu(double z[WIDTH][N]) {
    for (int j = 0; j < WIDTH; j++)
        for (int k = 0; k < N; k++) z[j][k] = z[j][k] > 0.0 ? z[j][k] : 0.0;
}

static inline double total(const double part[BLOCK]) {
    double four[4] = {0.0};
    for (int k = 0; k < BLOCK; k += 4)
        for (int l = 0; l < 4; l++) four[l] += part[k + l];
    return (four[0] + four[1]) + (four[2] + four[3]);
}

/* A layer's gradient by W and b, given that by its outputs. */
static inline void by_weights(int n_in, int n_out, const double d[][N], const double h[][N], double *G) {
    for (int j = 0; j < n_out; j++, G += n_in + 1)
        for (int i = 0; i <= n_in; i++) {
            double part[BLOCK] = {0.0};
            for (int start = 0; start < N; start += BLOCK)
                for (int k = 0; k < BLOCK; k++) part[k] += i < n_in ? d[j][start + k] * h[i][start + k] : d[j][start + k];
            G[i] = total(part);
        }
}

/* The gradient by a layer's inputs, which are ReLUs. */
static inline void by_inputs(int n_in, int n_out, const double *W, const double d[][N], const double h[][N],
                             double into[][N]) {
    for (int start = 0; start < N; start += BLOCK)
        for (int i = 0; i < n_in; i++) {
            double sum[BLOCK] = {0.0};
            for (int j = 0; j < n_out; j++)
                for (int k = 0; k < BLOCK; k++) sum[k] += W[j * (n_in + 1) + i] * d[j][start + k];
            for (int k = 0; k < BLOCK; k++) into[i][start + k] = h[i][start + k] > 0.0 ? sum[k] : 0.0;
        }
}

/* X has a row for each input. */
double step(double *theta, const double X[][N], const double *t, double lambda, double rate) {
    static double h1[WIDTH][N], h2[WIDTH][N], score[1][N], d1[WIDTH][N], d2[WIDTH][N], d3[1][N], G[SIZE];
    const double *W1 = theta, *W2 = W1 + FIRST, *W3 = W2 + SECOND;
    double loss = 0.0, squares = 0.0;
    forward(INPUTS, WIDTH, W1, X, h1);
    relu(h1);
    forward(WIDTH, WIDTH, W2, h1, h2);
    relu(h2);
    forward(WIDTH, 1, W3, h2, score);
    for (int k = 0; k < N; k++) {
        double margin = 1.0 - t[k] * score[0][k];
        loss += margin > 0.0 ? margin : 0.0;
        d3[0][k] = margin > 0.0 ? -t[k] / N : 0.0;
    }
    by_weights(WIDTH, 1, d3, h2, G + FIRST + SECOND);
    by_inputs(WIDTH, 1, W3, d3, h2, d2);
    by_weights(WIDTH, WIDTH, d2, h1, G + FIRST);
    by_inputs(WIDTH, WIDTH, W2, d2, h1, d1);
    by_weights(INPUTS, WIDTH, d1, X, G);
    for (int i = 0; i < SIZE; i++) {
        squares += theta[i] * theta[i];
        theta[i] -= rate * (G[i] + 2.0 * lambda * theta[i]);
    }
    return loss / N + lambda * squares;
}
