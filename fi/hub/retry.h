#pragma once

#include <string>

#include "fi/hub/http.h"

namespace fi {

/// True where trying again may help: a cut or a timeout, 408, 425, 429, 500, 502, 503, 504.
bool is_worth_a_retry(const HttpResponse& response);

/// Before retry number `retry` (from 0): the first pause doubles with every retry up to 8 s; or what Retry-After says, up to 60
/// s.
double pause_before_retry(int retry, const HttpResponse& response, double first_pause_s);

/// Sleeps; an interrupt is thrown within 20 ms.
void wait_seconds(double seconds);

/// "status 503", or why there was no answer.
std::string what_happened(const HttpResponse& response);

}  // namespace fi
