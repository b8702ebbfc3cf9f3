// Pools: the largest number or the mean of a window, channel by channel. One row of blocks a channel.

// The largest number in a window; what lies outside counts for nothing.
extern "C" __global__ void largest(
    const float *images, float *out, int height, int width, int batch, int kernel_height,
    int kernel_width, int stride, int top, int left, int out_height, int out_width) {
    const float *image = ROW(images, blockIdx.y, height * width * batch);
    float *row = ROW(out, blockIdx.y, out_height * out_width * batch);
    EACH(i, out_height * out_width * batch) {
        int place = i / batch;
        int y0 = place / out_width * stride - top, x0 = place % out_width * stride - left;
        float most = LOWEST;
        for (int tap = 0; tap < kernel_height * kernel_width; tap++) {
            int y = y0 + tap / kernel_width, x = x0 + tap % kernel_width;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            most = fmaxf(most, image[(y * width + x) * batch + i % batch]);
        }
        row[i] = most;
    }
}

// Whether no place before this one in a window holds as large a number: the gradient goes to the first.
__device__ int is_first(
    const float *image, int height, int width, int batch, int kernel_width, int y0, int x0, int own,
    int picture, float most) {
    for (int tap = 0; tap < own; tap++) {
        int y = y0 + tap / kernel_width, x = x0 + tap % kernel_width;
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        if (image[(y * width + x) * batch + picture] == most) return 0;
    }
    return 1;
}

// Each pixel adds up the slopes of the windows in which it is the largest.
extern "C" __global__ void largest_back(
    const float *images, const float *out, const float *slopes, float *gradient, int height,
    int width, int batch, int kernel_height, int kernel_width, int stride, int top, int left,
    int out_height, int out_width, int keep) {
    const float *image = ROW(images, blockIdx.y, height * width * batch);
    const float *most = ROW(out, blockIdx.y, out_height * out_width * batch);
    const float *slope = ROW(slopes, blockIdx.y, out_height * out_width * batch);
    EACH(i, height * width * batch) {
        int pixel = i / batch, picture = i % batch;
        float own = image[i], sum = 0.0f;
        for (int tap = 0; tap < kernel_height * kernel_width; tap++) {
            int up = pixel / width + top - tap / kernel_width;
            int back = pixel % width + left - tap % kernel_width;
            if (up < 0 || back < 0 || up % stride || back % stride) continue;
            int y0 = up - top, x0 = back - left;
            up /= stride, back /= stride;
            if (up >= out_height || back >= out_width) continue;
            int at = (up * out_width + back) * batch + picture;
            if (own == most[at] && is_first(image, height, width, batch, kernel_width, y0, x0, tap,
                                            picture, own))
                sum += slope[at];
        }
        put(ROW(gradient, blockIdx.y, height * width * batch) + i, sum, keep);
    }
}

// The mean of a window, of the zeros around the image too.
extern "C" __global__ void mean(
    const float *images, float *out, int height, int width, int batch, int kernel_height,
    int kernel_width, int stride, int top, int left, int out_height, int out_width) {
    const float *image = ROW(images, blockIdx.y, height * width * batch);
    float *row = ROW(out, blockIdx.y, out_height * out_width * batch);
    EACH(i, out_height * out_width * batch) {
        int place = i / batch;
        int y0 = place / out_width * stride - top, x0 = place % out_width * stride - left;
        float sum = 0.0f;
        for (int tap = 0; tap < kernel_height * kernel_width; tap++) {
            int y = y0 + tap / kernel_width, x = x0 + tap % kernel_width;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            sum += image[(y * width + x) * batch + i % batch];
        }
        row[i] = sum / (kernel_height * kernel_width);
    }
}

// Each pixel gets its share of the slopes of its windows.
extern "C" __global__ void mean_back(
    const float *slopes, float *gradient, int height, int width, int batch, int kernel_height,
    int kernel_width, int stride, int top, int left, int out_height, int out_width, int keep) {
    const float *slope = ROW(slopes, blockIdx.y, out_height * out_width * batch);
    EACH(i, height * width * batch) {
        int pixel = i / batch, picture = i % batch;
        float sum = 0.0f;
        for (int tap = 0; tap < kernel_height * kernel_width; tap++) {
            int up = pixel / width + top - tap / kernel_width;
            int back = pixel % width + left - tap % kernel_width;
            if (up < 0 || back < 0 || up % stride || back % stride) continue;
            up /= stride, back /= stride;
            if (up >= out_height || back >= out_width) continue;
            sum += slope[(up * out_width + back) * batch + picture];
        }
        float share = sum / (kernel_height * kernel_width);
        put(ROW(gradient, blockIdx.y, height * width * batch) + i, share, keep);
    }
}

// The mean over an image's pixels, (C·pixels, B) to (C, B). One row of blocks a channel.
extern "C" __global__ void mean_of_pixels(const float *images, float *features, int pixels, int batch) {
    const float *image = ROW(images, blockIdx.y, pixels * batch);
    EACH(picture, batch) {
        float sum = 0.0f;
        for (int pixel = 0; pixel < pixels; pixel++) sum += image[pixel * batch + picture];
        features[blockIdx.y * batch + picture] = sum / pixels;
    }
}

extern "C" __global__ void mean_of_pixels_back(
    const float *slopes, float *gradient, int pixels, int batch) {
    float *row = ROW(gradient, blockIdx.y, pixels * batch);
    EACH(i, pixels * batch) row[i] = slopes[blockIdx.y * batch + i % batch] / pixels;
}
