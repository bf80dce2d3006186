// The OpenAPI 3.1 document of the admin API, written from the table of operations and nothing else.
//
// Pure functions; any thread.
#pragma once

#include "gateway/admin/api.h"

namespace lingate::admin {

Json openapi_document();
Json schemas();  // by name, for components.schemas; the session's is written from its table of fields

}  // namespace lingate::admin
