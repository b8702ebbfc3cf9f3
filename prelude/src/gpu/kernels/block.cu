// What all kernels share. Images lie channels first and batch last, (C·H·W, B), so that a convolution is
// a product of matrices, a channel one long row, and threads side by side read numbers side by side.
//
// A kernel goes through its numbers in strides of all its threads: it is right for any number of them.

#define FIRST (blockIdx.x * blockDim.x + threadIdx.x)
#define STRIDE (gridDim.x * blockDim.x)
#define EACH(i, count) for (int i = FIRST; i < (count); i += STRIDE)
// The same within one block, which has a row to itself.
#define EACH_OF_ROW(i, count) for (int i = threadIdx.x; i < (count); i += blockDim.x)

// Below every number that is finite.
#define LOWEST (-3.402823466e+38f)

// A kernel that gives a block to each row has at most so many threads work on it together.
#define A_BLOCK_A_ROW __launch_bounds__(1024)

// Where a row of so many numbers begins: more of them than an int counts may lie before it.
#define ROW(numbers, row, columns) ((numbers) + (size_t)(row) * (columns))

// Writes a number, or adds it to what other parts of the net have written there before.
__device__ void put(float *at, float value, int keep) {
    *at = keep ? *at + value : value;
}

// The sum of every thread's number, for each thread of the block; always in the same order.
__device__ float block_sum(float value) {
    __shared__ float parts[1024];
    parts[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) parts[threadIdx.x] += parts[threadIdx.x + half];
        __syncthreads();
    }
    float total = parts[0];
    __syncthreads();
    return total;
}

// Where a window stands on an image: how large it is, how far it moves, and how much of it may lie
// outside.
struct Window {
    int height, width, kernel_height, kernel_width, stride, top, left, out_height, out_width;
};

// The pixel that an output pixel's window has at a place of it; -1 where that lies outside.
__device__ int pixel_under(Window w, int out, int tap) {
    int y = out / w.out_width * w.stride - w.top + tap / w.kernel_width;
    int x = out % w.out_width * w.stride - w.left + tap % w.kernel_width;
    return y >= 0 && y < w.height && x >= 0 && x < w.width ? y * w.width + x : -1;
}

// The output pixel whose window has a pixel at a place of it; -1 where there is none.
__device__ int window_over(Window w, int pixel, int tap) {
    int y = pixel / w.width + w.top - tap / w.kernel_width;
    int x = pixel % w.width + w.left - tap % w.kernel_width;
    if (y < 0 || x < 0 || y % w.stride || x % w.stride) return -1;
    y /= w.stride, x /= w.stride;
    return y < w.out_height && x < w.out_width ? y * w.out_width + x : -1;
}
