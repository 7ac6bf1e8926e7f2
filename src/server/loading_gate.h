// loading_gate.h: while data is loaded, clients are told so (reliability R11). Armed from the start
// of a load to its end.
#pragma once

#include "engine/gates_and_sinks.h"

namespace roxdb::server {

class LoadingGate final : public engine::Gate {
 public:
  engine::Verdict check(engine::Session&, const engine::CommandSpec& spec, engine::Args,
                        Status& refusal) override {
    if ((spec.flags & engine::kLoading) != 0) return engine::Verdict::kPass;
    refusal = user_error("LOADING Redis is loading the dataset in memory");
    return engine::Verdict::kRefuse;
  }
};

}  // namespace roxdb::server
