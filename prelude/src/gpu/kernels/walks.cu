// One step of projected gradient ascent, for a picture (B, pixels) of its own; the gradient gives its
// room away.

extern "C" A_BLOCK_A_ROW __global__ void step_l2(
    float *x, const float *centers, float *gradient, int pixels, float epsilon, float step_size) {
    float *picture = ROW(x, blockIdx.x, pixels), *delta = ROW(gradient, blockIdx.x, pixels);
    const float *center = ROW(centers, blockIdx.x, pixels);
    float squares = 0.0f;
    EACH_OF_ROW(i, pixels) squares += delta[i] * delta[i];
    float length = step_size / fmaxf(sqrtf(block_sum(squares)), 1e-12f);
    squares = 0.0f;
    EACH_OF_ROW(i, pixels) {
        delta[i] = picture[i] + length * delta[i] - center[i];
        squares += delta[i] * delta[i];
    }
    float shrink = fminf(epsilon / fmaxf(sqrtf(block_sum(squares)), 1e-12f), 1.0f);
    EACH_OF_ROW(i, pixels)
        picture[i] = fminf(fmaxf(center[i] + shrink * delta[i], 0.0f), 1.0f);
}

// A zero gradient does not move the pixel.
extern "C" __global__ void step_linf(
    float *x, const float *centers, const float *gradient, int count, float epsilon,
    float step_size) {
    EACH(i, count) {
        float sign = (gradient[i] > 0.0f) - (gradient[i] < 0.0f);
        float delta = x[i] + step_size * sign - centers[i];
        delta = fminf(fmaxf(delta, -epsilon), epsilon);
        x[i] = fminf(fmaxf(centers[i] + delta, 0.0f), 1.0f);
    }
}
