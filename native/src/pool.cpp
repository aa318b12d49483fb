#include "pool.h"

#include <algorithm>
#include <cstdlib>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bptt {
namespace {

void pause_briefly() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

constexpr auto SPIN = std::chrono::microseconds(200);  // the next step usually comes within this time

class Pool {
  public:
    void run(int members, const std::function<void(int)>& work) {
        std::lock_guard<std::mutex> one_team(team_);
        for (; helpers_ < members - 1; ++helpers_) {
            const uint64_t seen = job_.load();
            std::thread([this, member = helpers_ + 1, seen] { serve(member, seen); }).detach();
        }
        pending_.store(members - 1);
        {
            std::lock_guard<std::mutex> lock(sleep_);
            work_ = &work;
            members_ = members;
            job_.fetch_add(1);
        }
        if (sleepers_.load() > 0) wake_.notify_all();
        work(0);
        for (int spins = 0; pending_.load() > 0;) ++spins < 2000 ? pause_briefly() : std::this_thread::yield();
    }

  private:
    void serve(int member, uint64_t seen) {
        for (;;) {
            await_job(seen);
            // Members beyond this job's team must not touch `work_`: the caller does not wait for them.
            std::unique_lock<std::mutex> lock(sleep_);
            seen = job_.load();
            const std::function<void(int)>* work = member < members_ ? work_ : nullptr;
            lock.unlock();
            if (!work) continue;
            (*work)(member);
            pending_.fetch_sub(1);
        }
    }
    void await_job(uint64_t seen) {
        const auto until = std::chrono::steady_clock::now() + SPIN;
        while (std::chrono::steady_clock::now() < until) {
            for (int i = 0; i < 32; ++i) {
                if (job_.load() != seen) return;
                pause_briefly();
            }
        }
        std::unique_lock<std::mutex> lock(sleep_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return job_.load() != seen; });
        sleepers_.fetch_sub(1);
    }

    std::mutex team_, sleep_;
    std::condition_variable wake_;
    std::atomic<uint64_t> job_{0};
    std::atomic<int> pending_{0}, sleepers_{0};
    const std::function<void(int)>* work_ = nullptr;
    int members_ = 0, helpers_ = 0;
};

// Never destroyed: its threads may still be waiting when the process ends.
std::atomic<Pool*> pool{nullptr};

// A forked child has none of the threads, and perhaps a locked mutex: it begins anew.
void forget_pool() { pool.store(nullptr); }

Pool& the_pool() {
    static std::once_flag registered;
    std::call_once(registered, [] { pthread_atfork(nullptr, nullptr, forget_pool); });
    Pool* existing = pool.load();
    if (existing) return *existing;
    Pool* fresh = new Pool;
    if (pool.compare_exchange_strong(existing, fresh)) return *fresh;
    delete fresh;
    return *existing;
}

}  // namespace

int hardware_threads() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const unsigned n = std::thread::hardware_concurrency();
    return n ? static_cast<int>(n) : 1;
}

int wanted_threads() {
    const char* text = std::getenv("BPTT_THREADS");
    const int wanted = text ? std::atoi(text) : 0;
    return wanted > 0 ? std::min(wanted, hardware_threads()) : hardware_threads();
}

void Barrier::wait() {
    const int round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == members_ - 1) {
        arrived_.store(0, std::memory_order_relaxed);
        round_.store(round + 1, std::memory_order_release);
        return;
    }
    for (int spins = 0; round_.load(std::memory_order_acquire) == round;)
        ++spins < 2000 ? pause_briefly() : std::this_thread::yield();
}

void run_team(int members, const std::function<void(int)>& work) {
    if (members <= 1) return work(0);
    the_pool().run(members, work);
}

}  // namespace bptt
