// Pools: the largest number or the mean of a window, channel by channel. One row of blocks a channel.

// The largest number in a window; what lies outside counts for nothing.
extern "C" __global__ void largest(const float *images, float *out, Window w, int batch) {
    const float *image = ROW(images, blockIdx.y, w.height * w.width * batch);
    float *row = ROW(out, blockIdx.y, w.out_height * w.out_width * batch);
    EACH(i, w.out_height * w.out_width * batch) {
        float most = LOWEST;
        for (int tap = 0; tap < w.kernel_height * w.kernel_width; tap++) {
            int pixel = pixel_under(w, i / batch, tap);
            if (pixel >= 0) most = fmaxf(most, image[pixel * batch + i % batch]);
        }
        row[i] = most;
    }
}

// Whether no place before this one in a window holds as large a number: the gradient goes to the first.
__device__ int is_first(
    const float *image, Window w, int batch, int picture, int out, int own, float most) {
    for (int tap = 0; tap < own; tap++) {
        int pixel = pixel_under(w, out, tap);
        if (pixel >= 0 && image[pixel * batch + picture] == most) return 0;
    }
    return 1;
}

// Each pixel adds up the slopes of the windows in which it is the largest.
extern "C" __global__ void largest_back(
    const float *images, const float *out, const float *slopes, float *gradient, Window w,
    int batch, int keep) {
    const float *image = ROW(images, blockIdx.y, w.height * w.width * batch);
    const float *most = ROW(out, blockIdx.y, w.out_height * w.out_width * batch);
    const float *slope = ROW(slopes, blockIdx.y, w.out_height * w.out_width * batch);
    float *to = ROW(gradient, blockIdx.y, w.height * w.width * batch);
    EACH(i, w.height * w.width * batch) {
        int picture = i % batch;
        float sum = 0.0f;
        for (int tap = 0; tap < w.kernel_height * w.kernel_width; tap++) {
            int place = window_over(w, i / batch, tap), at = place * batch + picture;
            if (place < 0 || image[i] != most[at]) continue;
            if (is_first(image, w, batch, picture, place, tap, image[i])) sum += slope[at];
        }
        put(&to[i], sum, keep);
    }
}

// The mean of a window, of the zeros around the image too.
extern "C" __global__ void mean(const float *images, float *out, Window w, int batch) {
    const float *image = ROW(images, blockIdx.y, w.height * w.width * batch);
    float *row = ROW(out, blockIdx.y, w.out_height * w.out_width * batch);
    EACH(i, w.out_height * w.out_width * batch) {
        float sum = 0.0f;
        for (int tap = 0; tap < w.kernel_height * w.kernel_width; tap++) {
            int pixel = pixel_under(w, i / batch, tap);
            if (pixel >= 0) sum += image[pixel * batch + i % batch];
        }
        row[i] = sum / (w.kernel_height * w.kernel_width);
    }
}

// Each pixel gets its share of the slopes of its windows.
extern "C" __global__ void mean_back(
    const float *slopes, float *gradient, Window w, int batch, int keep) {
    const float *slope = ROW(slopes, blockIdx.y, w.out_height * w.out_width * batch);
    float *to = ROW(gradient, blockIdx.y, w.height * w.width * batch);
    EACH(i, w.height * w.width * batch) {
        float sum = 0.0f;
        for (int tap = 0; tap < w.kernel_height * w.kernel_width; tap++) {
            int place = window_over(w, i / batch, tap);
            if (place >= 0) sum += slope[place * batch + i % batch];
        }
        put(&to[i], sum / (w.kernel_height * w.kernel_width), keep);
    }
}

// The mean over an image's pixels, (C·pixels, B) to (C, B).
extern "C" __global__ void mean_of_pixels(
    const float *images, float *features, int pixels, int batch) {
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
