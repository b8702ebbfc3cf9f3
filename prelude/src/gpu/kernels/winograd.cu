// Winograd's F(4×4, 3×3) for convolutions of stride 1: a quarter of the products. Windows of 6×6 pixels
// that overlap by two are transformed; then each of their 36 places is a product of matrices of its own; and
// what comes out is transformed back to tiles of 4×4 outputs. Transformed numbers of tiles lie as
// (part, place, channel, tile·B), where a part has so many tiles. A row of blocks has a channel.

// What is to be transformed: each has a rule for a line, as in the engine on the CPU. Rules evaluate
// polynomials at 0, ±1/√2, ±√2 and infinity.
struct Windows {};
struct Weights {};
struct Outputs {};
struct Slopes {};
struct WeightSlopes {};

#define POINT_A 0.70710678f
#define POINT_B 1.41421356f
#define OF_A (-2.0f / 3.0f)
#define OF_B (1.0f / 6.0f)

__device__ void transform(Windows, const float *d, float *out) {
    float even_a = d[4] - 2.0f * d[2], odd_a = POINT_A * (d[3] - 2.0f * d[1]);
    float even_b = d[4] - 0.5f * d[2], odd_b = POINT_B * (d[3] - 0.5f * d[1]);
    out[0] = d[0] + d[4] - 2.5f * d[2];
    out[1] = even_a + odd_a, out[2] = even_a - odd_a;
    out[3] = even_b + odd_b, out[4] = even_b - odd_b;
    out[5] = d[1] + d[5] - 2.5f * d[3];
}

__device__ void transform(Weights, const float *g, float *out) {
    float even_a = OF_A * (g[0] + 0.5f * g[2]), odd_a = OF_A * POINT_A * g[1];
    float even_b = OF_B * (g[0] + 2.0f * g[2]), odd_b = OF_B * POINT_B * g[1];
    out[0] = g[0];
    out[1] = even_a + odd_a, out[2] = even_a - odd_a;
    out[3] = even_b + odd_b, out[4] = even_b - odd_b;
    out[5] = g[2];
}

__device__ void transform(Outputs, const float *m, float *out) {
    float sum_a = m[1] + m[2], odd_a = POINT_A * (m[1] - m[2]);
    float sum_b = m[3] + m[4], odd_b = POINT_B * (m[3] - m[4]);
    out[0] = m[0] + (sum_a + sum_b);
    out[1] = odd_a + odd_b;
    out[2] = 0.5f * sum_a + 2.0f * sum_b;
    out[3] = 0.5f * odd_a + 2.0f * odd_b + m[5];
}

// `Outputs` turned around.
__device__ void transform(Slopes, const float *y, float *out) {
    float even_a = y[0] + 0.5f * y[2], odd_a = POINT_A * (y[1] + 0.5f * y[3]);
    float even_b = y[0] + 2.0f * y[2], odd_b = POINT_B * (y[1] + 2.0f * y[3]);
    out[0] = y[0];
    out[1] = even_a + odd_a, out[2] = even_a - odd_a;
    out[3] = even_b + odd_b, out[4] = even_b - odd_b;
    out[5] = y[3];
}

// `Weights` turned around.
__device__ void transform(WeightSlopes, const float *u, float *out) {
    float sum_a = OF_A * (u[1] + u[2]), odd_a = OF_A * (u[1] - u[2]);
    float sum_b = OF_B * (u[3] + u[4]), odd_b = OF_B * (u[3] - u[4]);
    out[0] = u[0] + (sum_a + sum_b);
    out[1] = POINT_A * odd_a + POINT_B * odd_b;
    out[2] = 0.5f * sum_a + 2.0f * sum_b + u[5];
}

// A square of numbers by a rule, its columns and then its rows.
template <int FROM, int TO, class Rule>
__device__ void square(Rule rule, const float *from, float *to) {
    float half[TO * FROM];
    for (int x = 0; x < FROM; x++) {
        float column[FROM], out[TO];
        for (int y = 0; y < FROM; y++) column[y] = from[y * FROM + x];
        transform(rule, column, out);
        for (int y = 0; y < TO; y++) half[y * FROM + x] = out[y];
    }
    for (int y = 0; y < TO; y++) transform(rule, half + y * FROM, to + y * TO);
}

// One tile of one picture, among `count` from `first` on of which a part has `of_part`.
struct Tile {
    // Its first output.
    int y, x;
    int picture;
    // The first of its transformed numbers in a channel's row, and from there to that of the next place.
    size_t at, apart;
};

__device__ Tile tile_of(Window w, int i, int batch, int first, int of_part) {
    int tile = first + i / batch, across = (w.out_width + 3) / 4;
    int columns = of_part * batch, part = i / columns;
    size_t apart = (size_t)gridDim.y * columns;
    size_t at = part * 36 * apart + (size_t)blockIdx.y * columns + i % columns;
    return {tile / across * 4, tile % across * 4, i % batch, at, apart};
}

// Of images, how large they are and how far outside the first tile begins.
struct Plane {
    int height, width, top, left;
};

// Squares of images, one a tile, to 36 numbers each.
template <int SIZE, class Rule>
__device__ void spread(
    Rule rule, const float *images, float *numbers, Plane plane, Window w, int batch, int first,
    int count, int of_part) {
    const float *image = ROW(images, blockIdx.y, plane.height * plane.width * batch);
    EACH(i, count * batch) {
        Tile tile = tile_of(w, i, batch, first, of_part);
        float pixels[SIZE * SIZE], places[36];
        for (int tap = 0; tap < SIZE * SIZE; tap++) {
            int y = tile.y - plane.top + tap / SIZE, x = tile.x - plane.left + tap % SIZE;
            bool is_inside = y >= 0 && y < plane.height && x >= 0 && x < plane.width;
            pixels[tap] = is_inside ? image[(y * plane.width + x) * batch + tile.picture] : 0.0f;
        }
        square<SIZE, 6>(rule, pixels, places);
        for (int place = 0; place < 36; place++)
            numbers[tile.at + place * tile.apart] = places[place];
    }
}

// Images (C·H·W, B) to transformed windows.
extern "C" __global__ void winograd_windows(
    const float *images, float *windows, Window w, int batch, int first, int count, int of_part) {
    Plane plane = {w.height, w.width, w.top, w.left};
    spread<6>(Windows{}, images, windows, plane, w, batch, first, count, of_part);
}

// Slopes at what came out, (C·H·W, B), to slopes at the products.
extern "C" __global__ void winograd_slopes(
    const float *slopes, float *products, Window w, int batch, int first, int count, int of_part) {
    Plane plane = {w.out_height, w.out_width, 0, 0};
    spread<4>(Slopes{}, slopes, products, plane, w, batch, first, count, of_part);
}

// Products to images (C·H·W, B).
extern "C" __global__ void winograd_outputs(
    const float *products, float *images, Window w, int batch, int first, int count, int of_part,
    int keep) {
    float *image = ROW(images, blockIdx.y, w.out_height * w.out_width * batch);
    EACH(i, count * batch) {
        Tile tile = tile_of(w, i, batch, first, of_part);
        float places[36], pixels[16];
        for (int place = 0; place < 36; place++)
            places[place] = products[tile.at + place * tile.apart];
        square<6, 4>(Outputs{}, places, pixels);
        for (int tap = 0; tap < 16; tap++) {
            int y = tile.y + tap / 4, x = tile.x + tap % 4;
            if (y < w.out_height && x < w.out_width)
                put(&image[(y * w.out_width + x) * batch + tile.picture], pixels[tap], keep);
        }
    }
}

// Weights, 3×3 each, to (place, weight); the first number read is `start`, the next is `step` further.
__device__ void spread_weights(
    const float *weights, float *places, int count, int start, int step) {
    EACH(i, count) {
        float weight[9], out[36];
        for (int tap = 0; tap < 9; tap++) weight[tap] = weights[(size_t)i * 9 + start + tap * step];
        square<3, 6>(Weights{}, weight, out);
        for (int place = 0; place < 36; place++) ROW(places, place, count)[i] = out[place];
    }
}

extern "C" __global__ void winograd_weights(const float *weights, float *places, int count) {
    spread_weights(weights, places, count, 0, 1);
}

// Turned by half a circle, as the way back has them.
extern "C" __global__ void winograd_turned_weights(
    const float *weights, float *places, int count) {
    spread_weights(weights, places, count, 8, -1);
}

// Slopes (part, place, weight) to those of the weights, 3×3 each.
extern "C" __global__ void winograd_learned(
    const float *places, float *gradient, int count, int parts, int keep) {
    EACH(i, count) {
        float sums[36] = {}, out[9];
        for (int part = 0; part < parts; part++)
            for (int place = 0; place < 36; place++)
                sums[place] += ROW(places, part * 36 + place, count)[i];
        square<6, 3>(WeightSlopes{}, sums, out);
        for (int tap = 0; tap < 9; tap++) put(&gradient[(size_t)i * 9 + tap], out[tap], keep);
    }
}
