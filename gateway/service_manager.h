// What a service manager is told (sd_notify(3)): that the gateway serves, and that it ends. A unit of `Type=notify` is
// started when it serves, and not when its process is there. Without NOTIFY_SOCKET nobody is told.
//
// Thread: any. Errors: a manager that cannot be reached changes nothing.
#pragma once

#include <string_view>

namespace lingate {

// "READY=1", "STOPPING=1", "STATUS=…"; lines.
void tell_service_manager(std::string_view state) noexcept;

}  // namespace lingate
