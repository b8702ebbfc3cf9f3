// Batch norms over rows of numbers, a row a channel.

// The mean and the biased variance of each row, which has a block to itself.
extern "C" A_BLOCK_A_ROW __global__ void moments(const float *x, float *means, float *vars, int columns) {
    const float *row = ROW(x, blockIdx.x, columns);
    float sum = 0.0f;
    EACH_OF_ROW(i, columns) sum += row[i];
    float mean = block_sum(sum) / columns;
    sum = 0.0f;
    EACH_OF_ROW(i, columns) sum += (row[i] - mean) * (row[i] - mean);
    float var = block_sum(sum) / columns;
    if (threadIdx.x == 0) means[blockIdx.x] = mean, vars[blockIdx.x] = var;
}

// A batch norm as one factor and one summand a channel.
extern "C" __global__ void norm_factors(
    const float *weight, const float *bias, const float *means, const float *vars, float *scale,
    float *shift, int channels, float epsilon) {
    EACH(c, channels) {
        scale[c] = weight[c] / sqrtf(vars[c] + epsilon);
        shift[c] = bias[c] - means[c] * scale[c];
    }
}

// The running statistics learn from those of a batch; PyTorch keeps the unbiased variance.
extern "C" __global__ void learn_moments(
    float *running_means, float *running_vars, const float *means, const float *vars, int channels,
    float momentum, float unbiased) {
    EACH(c, channels) {
        running_means[c] = (1.0f - momentum) * running_means[c] + momentum * means[c];
        running_vars[c] = (1.0f - momentum) * running_vars[c] + momentum * unbiased * vars[c];
    }
}

// Rows times a factor, plus a summand. One row of blocks a row; in place, too.
extern "C" __global__ void scale_and_shift(
    const float *x, float *y, const float *scale, const float *shift, int columns) {
    const float *from = ROW(x, blockIdx.y, columns);
    float *to = ROW(y, blockIdx.y, columns);
    EACH(i, columns) to[i] = from[i] * scale[blockIdx.y] + shift[blockIdx.y];
}

// The way back with fixed statistics.
extern "C" __global__ void scale_back(
    const float *slopes, float *gradient, const float *scale, int columns, int keep) {
    const float *from = ROW(slopes, blockIdx.y, columns);
    float *to = ROW(gradient, blockIdx.y, columns);
    EACH(i, columns) put(&to[i], from[i] * scale[blockIdx.y], keep);
}

// The way back through the batch's own statistics, for a row of its own: the gradients of weight, bias
// and x. The slopes may lie where the gradient shall be.
extern "C" A_BLOCK_A_ROW __global__ void norm_back(
    const float *x, const float *slopes, float *gradient, const float *weight, const float *means,
    const float *vars, float *weight_gradient, float *bias_gradient, int columns, float epsilon,
    int keep) {
    int c = blockIdx.x;
    const float *row = ROW(x, c, columns), *slope = ROW(slopes, c, columns);
    float mean = means[c], sharpness = 1.0f / sqrtf(vars[c] + epsilon);
    float sum = 0.0f, product = 0.0f;
    EACH_OF_ROW(i, columns) {
        sum += slope[i];
        product += slope[i] * (row[i] - mean) * sharpness;
    }
    sum = block_sum(sum);
    product = block_sum(product);
    if (threadIdx.x == 0) weight_gradient[c] = product, bias_gradient[c] = sum;
    float scale = weight[c] * sharpness;
    float *to = ROW(gradient, c, columns);
    EACH_OF_ROW(i, columns) {
        float normal = (row[i] - mean) * sharpness;
        put(&to[i], scale * (slope[i] - sum / columns - normal * product / columns), keep);
    }
}

// The sum of each row, which has a block to itself: the gradient of a bias.
extern "C" A_BLOCK_A_ROW __global__ void row_sums(const float *x, float *sums, int columns) {
    const float *row = ROW(x, blockIdx.x, columns);
    float sum = 0.0f;
    EACH_OF_ROW(i, columns) sum += row[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}
