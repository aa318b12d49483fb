// Arrays that come from Python: what is checked before a pointer is trusted.
#pragma once
#include <nanobind/nanobind.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace bptt {

// A C-contiguous float32 or int32 array, held through the buffer protocol for as long as this object lives.
class Array {
  public:
    Array(nanobind::handle object, const std::string& who, bool integers, bool writable);
    ~Array() { if (view_.obj) PyBuffer_Release(&view_); }
    Array(Array&& other) noexcept : view_(other.view_), who_(std::move(other.who_)), writable_(other.writable_) {
        other.view_.obj = nullptr;
    }
    Array& operator=(Array&&) = delete;

    float* floats() const { return static_cast<float*>(view_.buf); }
    const int32_t* integers() const { return static_cast<const int32_t*>(view_.buf); }
    int64_t size() const { return view_.len / 4; }
    std::vector<int64_t> shape() const { return {view_.shape, view_.shape + view_.ndim}; }
    const std::string& who() const { return who_; }

    // std::invalid_argument unless the shape is this one. Where a last extent is 1 it may be left out, and a leading
    // one of a parameter too: a vector is 1 x n, a number 1 x 1.
    void require_shape(const std::vector<int64_t>& wanted, bool parameter) const;

    // std::invalid_argument if a writable array shares memory with any other.
    static void require_apart(const std::vector<Array>& arrays);

  private:
    Py_buffer view_{};
    std::string who_;
    bool writable_;
};

}  // namespace bptt
