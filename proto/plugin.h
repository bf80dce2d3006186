// The field numbers of plugin.proto, for code that reads and writes it as raw bytes. tests/proto compares them with
// the official descriptor, so the two cannot drift apart.
//
// Constants; any thread.
#pragma once

#include <cstdint>

namespace lingate::proto {

using Number = std::uint32_t;

namespace value {
inline constexpr Number kNull = 1, kBoolean = 2, kNumber = 3, kText = 4, kList = 5, kMembers = 6;
}
namespace list {
inline constexpr Number kValues = 1;
}
namespace members {
inline constexpr Number kMembers = 1;
}
namespace member {
inline constexpr Number kName = 1, kValue = 2;
}
namespace header {
inline constexpr Number kName = 1, kValue = 2;
}
namespace client {
inline constexpr Number kIp = 1, kPort = 2, kTls = 3;
}
namespace request {
inline constexpr Number kId = 1, kMethod = 2, kScheme = 3, kHost = 4, kPath = 5, kQuery = 6, kVersion = 7, kRoute = 8,
                        kClient = 9, kParams = 10, kHeaders = 11, kBody = 12;
}
namespace response {
inline constexpr Number kStatus = 1, kHeaders = 2, kBody = 3;
}
namespace session {
inline constexpr Number kId = 1, kAlias = 2, kOrg = 3, kTags = 4, kMetadata = 5, kRate = 6, kPer = 7, kBurst = 8,
                        kQuotaMax = 9, kQuotaRemaining = 10, kQuotaRenews = 11, kExpires = 12;
}
namespace call {
inline constexpr Number kHook = 1, kDeadline = 2, kRequest = 3, kResponse = 4, kSession = 5, kContext = 6;
}
namespace header_edit {
inline constexpr Number kName = 1, kValues = 2, kAppend = 3;
}
namespace request_edits {
inline constexpr Number kMethod = 1, kPath = 2, kQuery = 3, kHeaders = 4, kBody = 5;
}
namespace response_edits {
inline constexpr Number kStatus = 1, kHeaders = 2, kBody = 3;
}
namespace session_edits {
inline constexpr Number kAssigned = 1, kCleared = 2, kTags = 3, kMetadata = 4, kRemovedMetadata = 5;
}
namespace tags {
inline constexpr Number kTags = 1;
}
namespace context_edits {
inline constexpr Number kReplaced = 1;
}
namespace answer {
inline constexpr Number kStatus = 1, kHeaders = 2, kBody = 3;
}
namespace failure {
inline constexpr Number kKind = 1, kMessage = 2, kFile = 3, kLine = 4, kStack = 5;
}
namespace verdict {
inline constexpr Number kRequest = 1, kResponse = 2, kSession = 3, kContext = 4, kAnswer = 5, kFailure = 6;
}

}  // namespace lingate::proto
