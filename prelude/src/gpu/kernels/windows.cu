// A convolution as a product of matrices: what its windows read, and the way back.

// The rows (channel, place in the window) of what `count` output pixels from `first` on read:
// (C·kernel, count·batch). One row of blocks a row.
extern "C" __global__ void gather_windows(
    const float *images, float *columns, int height, int width, int batch, int kernel_height,
    int kernel_width, int stride, int top, int left, int out_width, int first, int count) {
    int taps = kernel_height * kernel_width;
    int channel = blockIdx.y / taps, tap = blockIdx.y % taps;
    int down = tap / kernel_width - top, right = tap % kernel_width - left;
    const float *image = ROW(images, channel, height * width * batch);
    float *row = ROW(columns, blockIdx.y, count * batch);
    EACH(i, count * batch) {
        int place = first + i / batch;
        int y = place / out_width * stride + down, x = place % out_width * stride + right;
        int inside = y >= 0 && y < height && x >= 0 && x < width;
        row[i] = inside ? image[(y * width + x) * batch + i % batch] : 0.0f;
    }
}

// Each pixel adds up what the windows of these output pixels say of it. One row of blocks a channel.
extern "C" __global__ void collect_windows(
    const float *columns, float *images, int height, int width, int batch, int kernel_height,
    int kernel_width, int stride, int top, int left, int out_height, int out_width, int first,
    int count, int keep) {
    int taps = kernel_height * kernel_width;
    float *image = ROW(images, blockIdx.y, height * width * batch);
    EACH(i, height * width * batch) {
        int pixel = i / batch, picture = i % batch;
        int y = pixel / width + top, x = pixel % width + left;
        float sum = 0.0f;
        for (int tap = 0; tap < taps; tap++) {
            int up = y - tap / kernel_width, back = x - tap % kernel_width;
            if (up < 0 || back < 0 || up % stride || back % stride) continue;
            up /= stride, back /= stride;
            int place = up * out_width + back - first;
            if (up >= out_height || back >= out_width || place < 0 || place >= count) continue;
            sum += ROW(columns, blockIdx.y * taps + tap, count * batch)[place * batch + picture];
        }
        put(&image[i], sum, keep);
    }
}
