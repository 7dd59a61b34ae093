#include "eve/service.h"

namespace eve {

void Service::footprint(ByteView /*request*/, Footprint& out) const {
  out.alone();
}

}  // namespace eve
