// Codes: every fault that lingate can name has one stable number, "LG" and four digits, with one title, one explanation
// and one cure; where it becomes a response of the gateway's own, also one HTTP status. Families: LG1xxx request,
// LG2xxx configuration, LG3xxx script, LG4xxx upstream, LG5xxx policy. `lingate explain` prints this table; a number is
// never given to something else.
//
// Constant data; any thread, any time.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lingate {

namespace code {

// ---- LG1xxx: what a client sent ----
inline constexpr int kBadRequest = 1001;
inline constexpr int kBadFraming = 1002;
inline constexpr int kUnknownTransferCoding = 1003;
inline constexpr int kTargetTooLong = 1004;
inline constexpr int kHeadTooLarge = 1005;
inline constexpr int kVersionNotSupported = 1006;
inline constexpr int kBadHost = 1007;
inline constexpr int kBadPath = 1008;
inline constexpr int kRequestTimeout = 1009;
inline constexpr int kRequestBodyTooLarge = 1010;
inline constexpr int kNoRoute = 1011;
inline constexpr int kMethodNotAllowed = 1012;
inline constexpr int kExpectationFailed = 1013;
inline constexpr int kMethodNotImplemented = 1014;
inline constexpr int kClientGone = 1015;
inline constexpr int kBadProxyProtocol = 1016;
inline constexpr int kPlainHttp = 1017;
inline constexpr int kTlsHandshake = 1018;
inline constexpr int kHttp2Closed = 1019;
inline constexpr int kInternal = 1900;
inline constexpr int kUpgradeFailed = 1901;

// ---- LG2xxx: configuration ----
inline constexpr int kUnknownKey = 2001;
inline constexpr int kDuplicateKey = 2002;
inline constexpr int kYamlSyntax = 2003;
inline constexpr int kWrongType = 2004;
inline constexpr int kMissingKey = 2005;
inline constexpr int kNotAChoice = 2006;
inline constexpr int kOutOfRange = 2007;
inline constexpr int kBadDuration = 2008;
inline constexpr int kBadSize = 2009;
inline constexpr int kUnknownName = 2010;
inline constexpr int kDuplicateName = 2011;
inline constexpr int kCyclicUse = 2012;
inline constexpr int kUnreachableRoute = 2013;
inline constexpr int kBadPattern = 2014;
inline constexpr int kBadHeader = 2015;
inline constexpr int kBadAddress = 2016;
inline constexpr int kBadUrl = 2017;
inline constexpr int kBadCidr = 2018;
inline constexpr int kBadSecret = 2019;
inline constexpr int kFileNotFound = 2020;
inline constexpr int kLaterRelease = 2021;
inline constexpr int kConflictingKeys = 2022;
inline constexpr int kYamlTooLarge = 2023;
inline constexpr int kBadMethod = 2024;
inline constexpr int kUnknownRuntime = 2025;
inline constexpr int kUnknownPlaceholder = 2026;
inline constexpr int kCannotRead = 2027;
inline constexpr int kCannotListen = 2028;
inline constexpr int kBadValue = 2029;
inline constexpr int kBadAdminToken = 2030;
inline constexpr int kBadCertificate = 2031;
inline constexpr int kCyclicInclude = 2032;
inline constexpr int kUnused = 2101;              // warning
inline constexpr int kInlinePython = 2102;        // warning
inline constexpr int kSuspiciousValue = 2103;     // warning
inline constexpr int kExpiredCertificate = 2104;  // warning

// ---- LG3xxx: scripts ----
inline constexpr int kScriptException = 3001;
inline constexpr int kScriptTimeout = 3002;
inline constexpr int kScriptMemory = 3003;
inline constexpr int kScriptInvalid = 3004;
inline constexpr int kScriptUnavailable = 3005;
inline constexpr int kScriptLoad = 3006;

// ---- LG4xxx: upstreams ----
inline constexpr int kConnectFailed = 4001;
inline constexpr int kResetBeforeResponse = 4002;
inline constexpr int kBadResponse = 4003;
inline constexpr int kConnectTimeout = 4004;
inline constexpr int kResponseTimeout = 4005;
inline constexpr int kNoHealthyUpstream = 4006;
inline constexpr int kPoolExhausted = 4007;
inline constexpr int kResponseBodyTooLarge = 4008;
inline constexpr int kRouteTimeout = 4009;
inline constexpr int kNameNotResolved = 4010;
inline constexpr int kResponseCut = 4011;
inline constexpr int kUpstreamTls = 4012;

// ---- LG5xxx: policy ----
inline constexpr int kBodyOverLimit = 5001;
inline constexpr int kOriginNotAllowed = 5002;
inline constexpr int kCredentialsMissing = 5003;
inline constexpr int kCredentialsWrong = 5004;
inline constexpr int kAddressNotAllowed = 5005;
inline constexpr int kRateLimited = 5006;
inline constexpr int kQuotaUsedUp = 5007;
inline constexpr int kTooManyAtOnce = 5008;
inline constexpr int kPasswordsBusy = 5009;
inline constexpr int kTokenKeysMissing = 5010;
inline constexpr int kStoreUnavailable = 5101;

// what the admin API refuses
inline constexpr int kAdminTokenWrong = 5201;
inline constexpr int kAdminHost = 5202;
inline constexpr int kAdminOrigin = 5203;
inline constexpr int kNoSuchOperation = 5204;
inline constexpr int kBadAdminRequest = 5205;
inline constexpr int kAdminBodyTooLarge = 5206;
inline constexpr int kAdminMediaType = 5207;
inline constexpr int kNoSuchSession = 5208;
inline constexpr int kSessionTaken = 5209;
inline constexpr int kBadSession = 5210;
inline constexpr int kConfigRefused = 5211;
inline constexpr int kConfigChanged = 5212;
inline constexpr int kConfigUnmatched = 5213;
inline constexpr int kConfigFileChanged = 5214;
inline constexpr int kConfigNotSaved = 5215;
inline constexpr int kNoSuchGeneration = 5216;
inline constexpr int kEnding = 5217;
inline constexpr int kNoSuchTarget = 5218;

}  // namespace code

struct CodeInfo {
  int code;
  int status;  // HTTP status of the response that the gateway makes of it; 0: it never becomes a response
  std::string_view title;
  std::string_view explanation;
  std::string_view cure;
};

std::span<const CodeInfo> all_codes() noexcept;  // ascending
const CodeInfo* find_code(int code) noexcept;    // nullptr: there is no such code
int status_of(int code) noexcept;                // 500 where the code has none
std::string code_name(int code);                 // "LG1011"

}  // namespace lingate
