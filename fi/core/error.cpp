#include "fi/core/error.h"

namespace fi {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal: return "internal";
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kAuth: return "auth";
    case ErrorCode::kNetwork: return "network";
    case ErrorCode::kInvalid: return "invalid";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kIncompatible: return "incompatible";
    case ErrorCode::kMemory: return "memory";
    case ErrorCode::kDisk: return "disk";
    case ErrorCode::kBusy: return "busy";
    case ErrorCode::kNumeric: return "numeric";
    case ErrorCode::kVerification: return "verification";
    case ErrorCode::kInterrupted: return "interrupted";
  }
  return "unknown";
}

}  // namespace fi
