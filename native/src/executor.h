// Runs a verified program on arrays that the caller owns.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "kernels.h"
#include "pool.h"
#include "program.h"

namespace bptt {

// Floats for scratch: aligned, uninitialised, only ever growing.
class Scratch {
  public:
    float* reserve(int64_t count);
    float* data() const { return memory_.get(); }

  private:
    struct Free { void operator()(float* p) const; };
    std::unique_ptr<float[], Free> memory_;
    int64_t size_ = 0;
};

struct Cost {
    double seconds = 0, operations = 0, bytes = 0;
};

class Executor {
  public:
    Executor(std::vector<Buffer> buffers, std::vector<Block> blocks);

    const std::vector<Buffer>& buffers() const { return buffers_; }
    const std::vector<Block>& blocks() const { return blocks_; }

    // arrays[i] is the memory of buffer i (null for locals), tokens[i] its ids. Both were checked against T and B.
    void run(int64_t T, int64_t B, const std::vector<float*>& arrays, const std::vector<const int32_t*>& tokens,
             uint32_t seed, int threads, bool profile);

    // Costs of each instruction of each block in the last profiled run.
    const std::vector<std::vector<Cost>>& costs() const { return costs_; }

  private:
    // A matrix of weights in the layout of the micro-kernel, shared by all instructions that read it.
    struct Packed {
        Operand source;
        int64_t K, N;
        bool transposed;
        Scratch memory;
    };
    // Where a piece of work lies: `rows` rows from time step t on; `row` counts all rows, `local` those of a local.
    struct Place {
        float* const* arrays;
        int64_t t, row, local, rows;
    };
    enum class Split { rows, columns, output };  // what the members of a team divide among themselves

    void run_map(size_t block, int member, Barrier& team);
    void run_scan(size_t block, int member, int members);
    void pack_weights(int member, int members);
    void place_locals();
    int64_t tile_rows(const Block& block) const;
    int64_t locals_width(const Block& block) const;
    Split split_of(const Instruction&, int64_t rows, int members) const;
    void share(const Instruction&, Split, const Place&, int member, int members);
    void perform(const Instruction&, const Place&, int member);
    Call call_for(const Instruction&, const Place&) const;
    void multiply(const Instruction&, const Place&, int64_t j0, int64_t j1, int member);
    float* address(const Operand&, const Place&) const;
    View view(const Operand&, const Place&) const;
    View matrix(const Operand&) const;
    const int32_t* ids(const Operand&, const Place&) const;
    template <class F>
    void timed(size_t block, size_t instruction, int member, int64_t rows, F work);

    std::vector<Buffer> buffers_;
    std::vector<Block> blocks_;
    std::vector<Packed> packed_;
    const Kernels& kernels_;

    // Of the run in progress.
    std::mutex running_;
    int64_t T_ = 0, B_ = 0;
    std::vector<float*> arrays_;
    std::vector<std::vector<float*>> block_arrays_;  // per block, with its own places for the locals
    std::vector<const int32_t*> tokens_;
    uint32_t seed_ = 0;
    bool profile_ = false;
    Scratch locals_;
    std::vector<Scratch> scratch_;  // per member
    std::vector<std::vector<Cost>> costs_;
};

// Operations and bytes of an instruction on so many rows.
Cost cost_of(const Instruction&, const std::vector<Buffer>&, int64_t rows);

}  // namespace bptt
