// What kernels need to run on a processor: some threads that go through all blocks, one after the other.

#include <barrier>
#include <cmath>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

struct Index {
    unsigned x, y;
};
struct float4 {
    float x, y, z, w;
};
static thread_local Index threadIdx, blockIdx;
static Index blockDim, gridDim;
static std::barrier<> *together;

#define __global__
#define __device__ static
#define __shared__ static
#define __launch_bounds__(threads)
#define __syncthreads() together->arrive_and_wait()

template <class... P, size_t... I>
static void call(void (*kernel)(P...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<P *>(arguments[I])...);
}

template <class... P>
static int run(void (*kernel)(P...), Index grid, unsigned threads, void **arguments) {
    std::barrier<> barrier(threads);
    together = &barrier, gridDim = grid, blockDim = {threads, 1};
    std::vector<std::thread> all;
    for (unsigned thread = 0; thread < threads; thread++)
        all.emplace_back([=] {
            threadIdx = {thread, 0};
            for (unsigned y = 0; y < grid.y; y++)
                for (unsigned x = 0; x < grid.x; x++) {
                    blockIdx = {x, y};
                    call(kernel, arguments, std::index_sequence_for<P...>{});
                }
        });
    for (std::thread &thread : all) thread.join();
    return 0;
}
