// The Python module bptt._native: tuples in, checked programs and checked arrays out.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "arrays.h"
#include "executor.h"
#include "kernels.h"
#include "pool.h"
#include "updates.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bptt {
namespace {

using OperandTuple = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>;
using InstructionTuple = std::tuple<int64_t, std::optional<OperandTuple>, std::optional<OperandTuple>,
                                    std::optional<OperandTuple>, std::optional<OperandTuple>, double, double, uint32_t,
                                    int64_t, int64_t, int64_t>;
using BufferTuple = std::tuple<std::string, int64_t, int64_t, std::string>;
using BlockTuple = std::tuple<std::string, std::vector<InstructionTuple>>;

template <class Kind, size_t N>
Kind kind_named(const std::string& name, const char* const (&names)[N], const std::string& where) {
    for (size_t i = 0; i < N; ++i)
        if (name == names[i]) return static_cast<Kind>(i);
    throw std::invalid_argument(where + ": there is no kind '" + name + "'");
}

Operand operand(const std::optional<OperandTuple>& given, const std::string& where) {
    Operand o;
    if (!given) return o;
    std::tie(o.buffer, o.shift, o.row, o.col, o.width) = *given;
    if (o.buffer < 0) throw std::invalid_argument(where + ": there is no buffer " + std::to_string(o.buffer));
    return o;
}

std::unique_ptr<Executor> make_program(const std::vector<BufferTuple>& buffers, const std::vector<BlockTuple>& blocks) {
    std::vector<Buffer> own_buffers;
    for (const auto& [kind, rows, cols, name] : buffers)
        own_buffers.push_back({kind_named<BufferKind>(kind, BUFFER_KIND_NAMES, "buffer '" + name + "'"), rows, cols, name});
    std::vector<Block> own_blocks;
    for (const auto& [kind, instructions] : blocks) {
        const std::string number = "block " + std::to_string(own_blocks.size());
        Block block{kind_named<BlockKind>(kind, BLOCK_KIND_NAMES, number), {}};
        for (const auto& [opcode, dst, a, b, c, f0, f1, flags, m, k, n] : instructions) {
            const std::string where = number + ", instruction " + std::to_string(block.instructions.size());
            block.instructions.push_back({opcode, operand(dst, where), operand(a, where), operand(b, where),
                                          operand(c, where), f0, f1, flags, m, k, n});
        }
        own_blocks.push_back(std::move(block));
    }
    return std::make_unique<Executor>(std::move(own_buffers), std::move(own_blocks));
}

std::vector<int64_t> shape_of(const Buffer& buffer, int64_t T, int64_t B) {
    switch (buffer.kind) {
        case BufferKind::sequence: return {T, B, buffer.cols};
        case BufferKind::history: return {T + 1, B, buffer.cols};
        case BufferKind::ring: return {2, B, buffer.cols};
        case BufferKind::tokens: return {T, B};
        default: return {buffer.rows, buffer.cols};
    }
}

// A copy, so that nobody can change an id between this check and its use.
std::vector<int32_t> checked_tokens(const Array& array, int64_t vocabulary) {
    std::vector<int32_t> ids(array.integers(), array.integers() + array.size());
    for (const int32_t id : ids)
        if (id < 0 || id >= vocabulary)
            throw std::invalid_argument(array.who() + ": token " + std::to_string(id) + " is not in [0, " +
                                        std::to_string(vocabulary) + ")");
    return ids;
}

void run(Executor& program, int64_t T, int64_t B, nb::sequence arrays, int64_t seed, int threads, bool profile) {
    const std::vector<Buffer>& buffers = program.buffers();
    const int64_t limit = int64_t{1} << 31;
    if (T < 1 || B < 1 || T >= limit || B >= limit || T * B >= limit)
        throw std::invalid_argument("T = " + std::to_string(T) + " and B = " + std::to_string(B) +
                                    ": both must be at least 1, and T * B below 2**31");
    if (threads < 1) throw std::invalid_argument("threads = " + std::to_string(threads) + ": must be at least 1");
    if (nb::len(arrays) != buffers.size())
        throw std::invalid_argument(std::to_string(nb::len(arrays)) + " arrays for " + std::to_string(buffers.size()) + " buffers");
    std::vector<Array> held;
    held.reserve(buffers.size());
    std::vector<std::vector<int32_t>> ids(buffers.size());
    std::vector<float*> floats(buffers.size(), nullptr);
    std::vector<const int32_t*> tokens(buffers.size(), nullptr);
    for (size_t i = 0; i < buffers.size(); ++i) {
        const Buffer& buffer = buffers[i];
        const std::string who = "array " + std::to_string(i) + " ('" + buffer.name + "')";
        if (buffer.kind == BufferKind::local) {
            if (!arrays[i].is_none()) throw std::invalid_argument(who + ": a local has no array");
            continue;
        }
        if (arrays[i].is_none()) throw std::invalid_argument(who + ": is missing");
        const bool is_tokens = buffer.kind == BufferKind::tokens;
        const bool matrix = buffer.kind == BufferKind::param || buffer.kind == BufferKind::sum;
        held.emplace_back(arrays[i], who, is_tokens, buffer.written);
        held.back().require_shape(shape_of(buffer, T, B), matrix);
        if (is_tokens) {
            ids[i] = checked_tokens(held.back(), buffer.cols);
            tokens[i] = ids[i].data();
        } else {
            floats[i] = held.back().floats();
        }
    }
    Array::require_apart(held);
    nb::gil_scoped_release release;
    program.run(T, B, floats, tokens, static_cast<uint32_t>(seed), threads, profile);
}

using Report = std::vector<std::tuple<std::string, double, double, double,
                                      std::vector<std::tuple<std::string, double, double, double>>>>;

Report report(const Executor& program) {
    Report result;
    for (size_t i = 0; i < program.blocks().size(); ++i) {
        const Block& block = program.blocks()[i];
        Cost total;
        std::vector<std::tuple<std::string, double, double, double>> each;
        for (size_t j = 0; j < block.instructions.size(); ++j) {
            const Cost& cost = program.costs()[i][j];
            each.emplace_back(OP_NAMES[block.instructions[j].opcode], cost.seconds, cost.operations, cost.bytes);
            total.seconds += cost.seconds, total.operations += cost.operations, total.bytes += cost.bytes;
        }
        result.emplace_back(BLOCK_KIND_NAMES[static_cast<int>(block.kind)], total.seconds, total.operations, total.bytes,
                            std::move(each));
    }
    return result;
}

std::vector<Array> array_list(nb::sequence list, const std::string& name, bool writable, const std::vector<Array>* like) {
    if (like && nb::len(list) != like->size())
        throw std::invalid_argument(name + ": " + std::to_string(nb::len(list)) + " arrays, there are " +
                                    std::to_string(like->size()) + " parameters");
    std::vector<Array> result;
    const size_t count = nb::len(list);
    result.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        result.emplace_back(list[i], name + "[" + std::to_string(i) + "]", false, writable);
        if (like && result.back().shape() != (*like)[i].shape())
            throw std::invalid_argument(result.back().who() + ": its shape is not that of the parameter");
    }
    return result;
}

void require_apart(std::initializer_list<std::vector<Array>*> lists) {
    std::vector<Array> all;
    for (std::vector<Array>* list : lists)
        for (Array& array : *list) all.push_back(std::move(array));
    Array::require_apart(all);
    size_t next = 0;
    for (std::vector<Array>* list : lists) {
        const size_t count = list->size();
        list->clear();
        for (size_t i = 0; i < count; ++i) list->push_back(std::move(all[next++]));
    }
}

void py_sgd_step(nb::sequence params, nb::sequence grads, std::optional<nb::sequence> velocities, float lr, float momentum, float decay) {
    std::vector<Array> p = array_list(params, "params", true, nullptr), g = array_list(grads, "grads", false, &p), v;
    if (velocities) v = array_list(*velocities, "velocities", true, &p);
    require_apart({&p, &g, &v});
    nb::gil_scoped_release release;
    sgd_step(p, g, v, lr, momentum, decay);
}

void py_adam_step(nb::sequence params, nb::sequence grads, nb::sequence first, nb::sequence second, float lr, double beta1, double beta2,
                  float epsilon, float decay, int64_t step) {
    std::vector<Array> p = array_list(params, "params", true, nullptr), g = array_list(grads, "grads", false, &p);
    std::vector<Array> m = array_list(first, "m", true, &p), v = array_list(second, "v", true, &p);
    if (step < 1) throw std::invalid_argument("step: must be at least 1");
    require_apart({&p, &g, &m, &v});
    AdamStep settings{};
    settings.lr = lr, settings.epsilon = epsilon, settings.decay = decay;
    settings.beta1 = static_cast<float>(beta1), settings.gain1 = static_cast<float>(1 - beta1);
    settings.beta2 = static_cast<float>(beta2), settings.gain2 = static_cast<float>(1 - beta2);
    settings.correction1 = static_cast<float>(1 - std::pow(beta1, static_cast<double>(step)));
    settings.correction2 = static_cast<float>(1 - std::pow(beta2, static_cast<double>(step)));
    nb::gil_scoped_release release;
    adam_step(p, g, m, v, settings);
}

void py_scale(nb::sequence list, float factor) {
    std::vector<Array> arrays = array_list(list, "arrays", true, nullptr);
    require_apart({&arrays});
    nb::gil_scoped_release release;
    scale(arrays, factor);
}

double py_squared_norm(nb::sequence list) {
    const std::vector<Array> arrays = array_list(list, "arrays", false, nullptr);
    nb::gil_scoped_release release;
    return squared_norm(arrays);
}

bool py_all_finite(nb::sequence list) {
    const std::vector<Array> arrays = array_list(list, "arrays", false, nullptr);
    nb::gil_scoped_release release;
    return all_finite(arrays);
}

}  // namespace
}  // namespace bptt

NB_MODULE(_native, module) {
    using namespace bptt;
    module.doc() = "Executes scheduled programs on float32 arrays. It knows programs, not models.";
    nb::dict opcodes;
    for (int i = 0; i < OP_COUNT; ++i) opcodes[OP_NAMES[i]] = i;
    module.attr("OPCODES") = opcodes;
    module.def("isa", [] { return kernels().isa; }, "The instruction set in use: avx512, avx2, neon or plain.");
    module.def("hardware_threads", &hardware_threads, "The number of processors this process may use.");
    nb::class_<Executor>(module, "Program")
        .def(nb::new_(&make_program), "buffers"_a, "blocks"_a)
        .def("run", &run, "T"_a, "B"_a, "arrays"_a, "seed"_a = 0, "threads"_a = 1, "profile"_a = false)
        .def("report", &report);
    module.def("sgd_step", &py_sgd_step, "params"_a, "grads"_a, "velocities"_a.none(), "lr"_a, "momentum"_a, "weight_decay"_a);
    module.def("adam_step", &py_adam_step, "params"_a, "grads"_a, "m"_a, "v"_a, "lr"_a, "beta1"_a, "beta2"_a,
               "epsilon"_a, "weight_decay"_a, "step"_a);
    module.def("scale", &py_scale, "arrays"_a, "factor"_a);
    module.def("squared_norm", &py_squared_norm, "grads"_a);
    module.def("all_finite", &py_all_finite, "arrays"_a);
}
