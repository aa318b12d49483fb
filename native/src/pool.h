// A team of threads that is kept between runs. The caller is its first member.
#pragma once
#include <atomic>
#include <functional>

namespace bptt {

// The number of processors this process may use.
int hardware_threads();
int wanted_threads();  // as many, or fewer if BPTT_THREADS says so

// All members wait until every one has arrived. Spins, since the members arrive within microseconds of each other,
// and gives the processor away when that goes on for long.
class Barrier {
  public:
    explicit Barrier(int members) : members_(members) {}
    void wait();
    int members() const { return members_; }

  private:
    const int members_;
    std::atomic<int> arrived_{0}, round_{0};
};

// Calls work(member) for member = 0 .. members-1 at the same time and returns when all have returned. One team works
// at a time; further callers wait. `work` must not throw.
void run_team(int members, const std::function<void(int)>& work);

}  // namespace bptt
