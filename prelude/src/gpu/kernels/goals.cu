// What shall rise, by its slope with respect to logits (classes, B); a thread a picture.

// The cross-entropy to each picture's class; its slope times `factor`.
extern "C" __global__ void cross_entropy(
    const float *logits, const float *labels, float *slopes, float *losses, int classes, int batch,
    float factor) {
    EACH(picture, batch) {
        const float *row = logits + picture;
        float most = LOWEST, total = 0.0f;
        for (int c = 0; c < classes; c++) most = fmaxf(most, row[c * batch]);
        for (int c = 0; c < classes; c++) total += expf(row[c * batch] - most);
        int label = (int)labels[picture];
        for (int c = 0; c < classes; c++) {
            float share = expf(row[c * batch] - most) / total - (c == label ? 1.0f : 0.0f);
            slopes[c * batch + picture] = factor * share;
        }
        losses[picture] = logf(total) + most - row[label * batch];
    }
}

// The most likely class but one; the first of equal ones.
__device__ int best_other(const float *row, int classes, int batch, int label) {
    int best = label == 0 ? 1 : 0;
    for (int c = best + 1; c < classes; c++)
        if (c != label && row[c * batch] > row[best * batch]) best = c;
    return best;
}

// The highest logit of a wrong class minus that of the right one.
extern "C" __global__ void margin(
    const float *logits, const float *labels, float *slopes, int classes, int batch) {
    EACH(picture, batch) {
        int label = (int)labels[picture];
        int other = best_other(logits + picture, classes, batch, label);
        for (int c = 0; c < classes; c++)
            slopes[c * batch + picture] = (c == other ? 1.0f : 0.0f) - (c == label ? 1.0f : 0.0f);
    }
}

// The margin over the distance from the highest logit to the third.
extern "C" __global__ void logits_ratio(
    const float *logits, const float *labels, float *slopes, int classes, int batch, float small) {
    EACH(picture, batch) {
        const float *row = logits + picture;
        int label = (int)labels[picture], other = best_other(row, classes, batch, label);
        int order[3] = {-1, -1, -1};
        for (int rank = 0; rank < 3; rank++)
            for (int c = 0; c < classes; c++)
                if (c != order[0] && c != order[1] &&
                    (order[rank] < 0 || row[c * batch] > row[order[rank] * batch]))
                    order[rank] = c;
        float margin = row[other * batch] - row[label * batch];
        float distance = row[order[0] * batch] - row[order[2] * batch] + small;
        float tilt = margin / (distance * distance);
        for (int c = 0; c < classes; c++)
            slopes[c * batch + picture] =
                ((c == other ? 1.0f : 0.0f) - (c == label ? 1.0f : 0.0f)) / distance +
                ((c == order[2] ? tilt : 0.0f) - (c == order[0] ? tilt : 0.0f));
    }
}

// Toward given representations.
extern "C" __global__ void toward(const float *values, const float *aims, float *slopes, int count) {
    EACH(i, count) slopes[i] = aims[i] - values[i];
}
