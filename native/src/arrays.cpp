#include "arrays.h"

#include <algorithm>

namespace bptt {
namespace {

std::string text(const std::vector<int64_t>& shape) {
    std::string s = "(";
    for (size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + std::to_string(shape[i]);
    return s + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace

Array::Array(nanobind::handle object, const std::string& who, bool integers, bool writable)
    : who_(who), writable_(writable) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_RECORDS_RO) != 0) {
        PyErr_Clear();
        view_.obj = nullptr;
        throw std::invalid_argument(who + ": not an array");
    }
    // The destructor does not run when a constructor throws.
    const auto reject = [this](const std::string& reason) {
        PyBuffer_Release(&view_);
        throw std::invalid_argument(who_ + ": " + reason);
    };
    if (reinterpret_cast<uintptr_t>(view_.buf) % 4 != 0) reject("must be aligned");
    const std::string format = view_.format ? view_.format : "";
    const bool right = view_.itemsize == 4 && (integers ? format == "i" || format == "l" : format == "f");
    if (!right) reject(std::string("must be of type ") + (integers ? "int32" : "float32"));
    if (!PyBuffer_IsContiguous(&view_, 'C')) reject("must be C-contiguous");
    if (writable && view_.readonly) reject("is written but not writable");
}

void Array::require_shape(const std::vector<int64_t>& wanted, bool parameter) const {
    const std::vector<int64_t> have = shape();
    std::vector<int64_t> shorter = wanted;
    if (have == wanted) return;
    if (parameter) {
        while (!shorter.empty() && shorter.front() == 1) {
            shorter.erase(shorter.begin());
            if (have == shorter) return;
        }
    } else if (wanted.size() == 3 && wanted.back() == 1) {
        shorter.pop_back();
        if (have == shorter) return;
    }
    throw std::invalid_argument(who_ + ": has shape " + text(have) + ", must have " + text(wanted));
}

void Array::require_apart(const std::vector<Array>& arrays) {
    std::vector<const Array*> sorted;
    for (const Array& a : arrays)
        if (a.view_.len > 0) sorted.push_back(&a);
    std::sort(sorted.begin(), sorted.end(), [](const Array* x, const Array* y) { return x->floats() < y->floats(); });
    // The furthest end so far, of any array and of the written ones: a later start below it is an overlap.
    const Array *furthest = nullptr, *written = nullptr;
    const auto end = [](const Array* a) { return a ? a->floats() + a->size() : nullptr; };
    for (const Array* a : sorted) {
        const Array* clash = a->writable_ ? furthest : written;
        if (clash && a->floats() < end(clash))
            throw std::invalid_argument(a->who_ + " and " + clash->who_ + " share memory, and one of them is written");
        if (!furthest || end(a) > end(furthest)) furthest = a;
        if (a->writable_ && (!written || end(a) > end(written))) written = a;
    }
}

}  // namespace bptt
