// How pictures (B, pixels) walk uphill within a ball around centers and within [0, 1]: a block a picture.
// Gradients give their room away.

// The norm of the ball; what it means is told by functions of its own.
struct L2 {};
struct Linf {};

__device__ float length(const float *row, int pixels) {
    float squares = 0.0f;
    EACH_OF_ROW(i, pixels) squares += row[i] * row[i];
    return fmaxf(sqrtf(block_sum(squares)), 1e-12f);
}

// A gradient becomes the direction of size 1 along which a linear function rises fastest.
__device__ void steepest(L2, float *gradient, int pixels) {
    float scale = 1.0f / length(gradient, pixels);
    EACH_OF_ROW(i, pixels) gradient[i] *= scale;
}

// A zero gradient does not move the pixel.
__device__ void steepest(Linf, float *gradient, int pixels) {
    EACH_OF_ROW(i, pixels) gradient[i] = (gradient[i] > 0.0f) - (gradient[i] < 0.0f);
}

// To the nearest point of the ball.
__device__ void project(L2, float *delta, int pixels, float epsilon) {
    float shrink = fminf(epsilon / length(delta, pixels), 1.0f);
    EACH_OF_ROW(i, pixels) delta[i] *= shrink;
}

__device__ void project(Linf, float *delta, int pixels, float epsilon) {
    EACH_OF_ROW(i, pixels) delta[i] = fminf(fmaxf(delta[i], -epsilon), epsilon);
}

// What a picture shall be away from its center becomes where it may be.
template <class Norm>
__device__ void settle(
    Norm norm, float *delta, const float *center, int pixels, float epsilon) {
    project(norm, delta, pixels, epsilon);
    EACH_OF_ROW(i, pixels) delta[i] = fminf(fmaxf(center[i] + delta[i], 0.0f), 1.0f);
}

// A gradient becomes where a step along it leads.
template <class Norm>
__device__ void aim(
    Norm norm, const float *x, const float *center, float *gradient, int pixels, float epsilon,
    float step_size) {
    steepest(norm, gradient, pixels);
    EACH_OF_ROW(i, pixels) gradient[i] = x[i] + step_size * gradient[i] - center[i];
    settle(norm, gradient, center, pixels, epsilon);
}

// One step of projected gradient ascent.
template <class Norm>
__device__ void step(
    Norm norm, float *x, const float *centers, float *gradient, int pixels, float epsilon,
    float step_size) {
    float *picture = ROW(x, blockIdx.x, pixels), *next = ROW(gradient, blockIdx.x, pixels);
    aim(norm, picture, ROW(centers, blockIdx.x, pixels), next, pixels, epsilon, step_size);
    EACH_OF_ROW(i, pixels) picture[i] = next[i];
}

extern "C" A_BLOCK_A_ROW __global__ void step_l2(
    float *x, const float *centers, float *gradient, int pixels, float epsilon, float step_size) {
    step(L2{}, x, centers, gradient, pixels, epsilon, step_size);
}

extern "C" A_BLOCK_A_ROW __global__ void step_linf(
    float *x, const float *centers, float *gradient, int pixels, float epsilon, float step_size) {
    step(Linf{}, x, centers, gradient, pixels, epsilon, step_size);
}

// What a move asks for, as bits of its first number; the next two are the step's size, and how much of
// the step is new, where the rest goes on as the last one did.
#define NOTES 1
#define RETURNS 2
#define STEPS 4

// One move of Auto-PGD: a picture notes its place as the best, returns to that, steps on.
template <class Norm>
__device__ void move(
    Norm norm, float *x, float *last, const float *centers, float *gradient, float *best,
    float *best_gradient, const float *moves, int pixels, float epsilon) {
    int row = blockIdx.x, asked = (int)ROW(moves, row, 3)[0];
    float step_size = ROW(moves, row, 3)[1], fresh = ROW(moves, row, 3)[2];
    x = ROW(x, row, pixels), last = ROW(last, row, pixels), gradient = ROW(gradient, row, pixels);
    best = ROW(best, row, pixels), best_gradient = ROW(best_gradient, row, pixels);
    const float *center = ROW(centers, row, pixels);
    EACH_OF_ROW(i, pixels) {
        if (asked & NOTES) best[i] = x[i], best_gradient[i] = gradient[i];
        if (asked & RETURNS) x[i] = best[i], gradient[i] = best_gradient[i];
    }
    if (!(asked & STEPS)) return;
    aim(norm, x, center, gradient, pixels, epsilon, step_size);
    EACH_OF_ROW(i, pixels) {
        float onward = (1.0f - fresh) * (x[i] - last[i]);
        gradient[i] = x[i] + fresh * (gradient[i] - x[i]) + onward - center[i];
    }
    settle(norm, gradient, center, pixels, epsilon);
    EACH_OF_ROW(i, pixels) last[i] = x[i], x[i] = gradient[i];
}

extern "C" A_BLOCK_A_ROW __global__ void move_l2(
    float *x, float *last, const float *centers, float *gradient, float *best,
    float *best_gradient, const float *moves, int pixels, float epsilon) {
    move(L2{}, x, last, centers, gradient, best, best_gradient, moves, pixels, epsilon);
}

extern "C" A_BLOCK_A_ROW __global__ void move_linf(
    float *x, float *last, const float *centers, float *gradient, float *best,
    float *best_gradient, const float *moves, int pixels, float epsilon) {
    move(Linf{}, x, last, centers, gradient, best, best_gradient, moves, pixels, epsilon);
}
