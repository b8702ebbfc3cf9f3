// Number by number.

extern "C" __global__ void add(const float *x, float *y, int count, int keep) {
    EACH(i, count) put(&y[i], x[i], keep);
}

extern "C" __global__ void multiply(const float *x, float *y, int count) {
    EACH(i, count) y[i] *= x[i];
}

// Rows plus a number each. One row of blocks a row.
extern "C" __global__ void add_to_rows(const float *bias, float *y, int columns) {
    float *row = ROW(y, blockIdx.y, columns);
    EACH(i, columns) row[i] += bias[blockIdx.y];
}

// Some of the rows, by their numbers. One row of blocks a row.
extern "C" __global__ void take_rows(const float *x, const float *rows, float *y, int columns) {
    const float *row = ROW(x, (int)rows[blockIdx.y], columns);
    EACH(i, columns) ROW(y, blockIdx.y, columns)[i] = row[i];
}

// In place, too.
extern "C" __global__ void relu(const float *x, float *y, int count) {
    EACH(i, count) y[i] = fmaxf(x[i], 0.0f);
}

// The slopes may lie where the gradient shall be.
extern "C" __global__ void relu_back(
    const float *out, const float *slopes, float *gradient, int count, int keep) {
    EACH(i, count) put(&gradient[i], out[i] > 0.0f ? slopes[i] : 0.0f, keep);
}

// Pictures (B, pixels) in [0, 1] to a normalised image (pixels, B). One row of blocks a channel.
extern "C" __global__ void enter(
    const float *pictures, float *image, const float *means, const float *deviations, int plane,
    int pixels, int batch) {
    int channel = blockIdx.y;
    EACH(i, plane * batch) {
        float value = ROW(pictures, i % batch, pixels)[channel * plane + i / batch];
        ROW(image, channel, plane * batch)[i] = (value - means[channel]) / deviations[channel];
    }
}

// The image's gradient (pixels, B) to that of the pictures (B, pixels).
extern "C" __global__ void leave(
    const float *image, float *pictures, const float *deviations, int plane, int pixels, int batch) {
    int channel = blockIdx.y;
    EACH(i, plane * batch) {
        float value = ROW(image, channel, plane * batch)[i] / deviations[channel];
        ROW(pictures, i % batch, pixels)[channel * plane + i / batch] = value;
    }
}

// One step of stochastic gradient descent with momentum and weight decay, as PyTorch does it.
extern "C" __global__ void descend(
    float *parameters, float *velocity, const float *gradient, int count, float rate,
    float momentum, float weight_decay) {
    EACH(i, count) {
        velocity[i] = momentum * velocity[i] + gradient[i] + weight_decay * parameters[i];
        parameters[i] -= rate * velocity[i];
    }
}
