// A convolution as a product of matrices: what its windows read, and the way back.
//
// To find a place takes many more instructions than to move a number, so that a thread moves four
// pictures' numbers at once where it can: `T` is a number or four, `batch` counts pictures in that unit.

// One row (channel, place in the window) of what `count` output pixels from `first` on read.
template <class T>
__device__ void gather(const T *images, T *columns, Window w, int batch, int first, int count) {
    int taps = w.kernel_height * w.kernel_width;
    int channel = blockIdx.y / taps, tap = blockIdx.y % taps;
    const T *image = ROW(images, channel, w.height * w.width * batch);
    T *row = ROW(columns, blockIdx.y, count * batch);
    EACH(i, count * batch) {
        int place = i / batch, picture = i - place * batch;
        int pixel = pixel_under(w, first + place, tap);
        row[i] = pixel >= 0 ? image[pixel * batch + picture] : T{};
    }
}

// Each pixel of a channel adds up what the windows of these output pixels say of it.
template <class T>
__device__ void collect(
    const T *columns, T *images, Window w, int batch, int first, int count, int keep) {
    int taps = w.kernel_height * w.kernel_width;
    T *image = ROW(images, blockIdx.y, w.height * w.width * batch);
    EACH(i, w.height * w.width * batch) {
        int pixel = i / batch, picture = i - pixel * batch;
        T sum = {};
        for (int tap = 0; tap < taps; tap++) {
            int place = window_over(w, pixel, tap) - first;
            if (place < 0 || place >= count) continue;
            sum = sum + ROW(columns, blockIdx.y * taps + tap, count * batch)[place * batch + picture];
        }
        image[i] = keep ? image[i] + sum : sum;
    }
}

__device__ float4 operator+(float4 a, float4 b) {
    return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}

// (C·H·W, B) to (C·kernel, count·B), one row of blocks a row.
extern "C" __global__ void gather_windows(
    const float *images, float *columns, Window w, int batch, int first, int count) {
    gather(images, columns, w, batch, first, count);
}

extern "C" __global__ void gather_windows_of_four(
    const float4 *images, float4 *columns, Window w, int batch, int first, int count) {
    gather(images, columns, w, batch / 4, first, count);
}

// The way back, one row of blocks a channel.
extern "C" __global__ void collect_windows(
    const float *columns, float *images, Window w, int batch, int first, int count, int keep) {
    collect(columns, images, w, batch, first, count, keep);
}

extern "C" __global__ void collect_windows_of_four(
    const float4 *columns, float4 *images, Window w, int batch, int first, int count, int keep) {
    collect(columns, images, w, batch / 4, first, count, keep);
}
