#include "sim/virtual_disk.h"

#include <utility>

#include "base/check.h"
#include "base/file_name.h"
#include "sim/disk_device.h"

namespace eve::sim {

// ---- what a process holds

class VirtualDisk::OpenFile final : public journal::File {
 public:
  OpenFile(std::shared_ptr<DiskDevice> device, FilePtr file, std::string name)
      : device_(std::move(device)),
        file_(std::move(file)),
        name_(std::move(name)),
        life_(device_->life()) {}

  Result<uint64_t> size() const override {
    if (auto status = begin(); !status) return said(status);
    if (auto status = device_->end(); !status) return said(status);
    return file_->size();
  }
  Status write(uint64_t offset, ByteView bytes) override {
    if (auto status = begin(); !status) return said(status);
    if (auto status = device_->write(*file_, offset, bytes); !status) return said(status);
    return end();
  }
  Status sync() override {
    if (auto status = begin(); !status) return said(status);
    if (device_->interrupted()) return end();
    const auto status = device_->sync(*file_);
    return status ? end() : said(status);
  }
  Result<Bytes> read(uint64_t offset, uint64_t most) const override {
    if (auto status = begin(); !status) return said(status);
    if (auto status = device_->end(); !status) return said(status);
    auto bytes = device_->read(*file_, offset, most);
    return bytes ? std::move(bytes) : said(bytes.status());
  }
  Status truncate(uint64_t size) override {
    if (auto status = begin(); !status) return said(status);
    if (size > DiskDevice::kMaxFileBytes) return said(Error{"the file would be too large"});
    file_->truncate(size);
    return end();
  }

 private:
  Status begin() const {
    if (life_ != device_->life()) return Error{"the process that opened it has ended"};
    return device_->begin();
  }
  Status end() const {
    const auto status = device_->end();
    return status ? status : said(status);
  }
  Error said(const Status& status) const {
    return Error{name_ + ": " + status.message(), status.kind()};
  }

  std::shared_ptr<DiskDevice> device_;
  FilePtr file_;
  std::string name_;
  uint64_t life_;
};

VirtualDisk::VirtualDisk(const DiskPlan& plan, uint64_t seed)
    : device_(std::make_shared<DiskDevice>(plan, seed)) {}

VirtualDisk::~VirtualDisk() = default;

Result<std::vector<std::string>> VirtualDisk::list() const {
  if (auto status = device_->begin(); !status) return status.error();
  if (auto status = device_->end(); !status) return status.error();
  if (auto status = device_->may_look(); !status) return status.error();
  std::vector<std::string> listed;
  for (const auto& [name, file] : device_->names.now()) listed.push_back(name);
  return listed;
}

Result<std::unique_ptr<journal::File>> VirtualDisk::create(const std::string& name) {
  if (auto status = check_file_name(name); !status) return status.error();
  if (auto status = device_->begin(); !status) return status.error();
  auto file = std::make_shared<SectorFile>();
  if (auto status = device_->create(name, file); !status) return status.error();
  if (auto status = device_->end(); !status) return status.error();
  return std::unique_ptr<journal::File>(new OpenFile(device_, std::move(file), name));
}

Result<std::unique_ptr<journal::File>> VirtualDisk::open(const std::string& name) {
  if (auto status = check_file_name(name); !status) return status.error();
  if (auto status = device_->begin(); !status) return status.error();
  if (auto status = device_->end(); !status) return status.error();
  if (auto status = device_->may_look(); !status) return status.error();
  auto file = device_->names.find(name);
  if (file == nullptr) return Error{name + ": there is no such file"};
  device_->settle(*file);
  return std::unique_ptr<journal::File>(new OpenFile(device_, std::move(file), name));
}

Status VirtualDisk::rename(const std::string& from, const std::string& to) {
  if (auto status = check_file_name(from); !status) return status;
  if (auto status = check_file_name(to); !status) return status;
  if (auto status = device_->begin(); !status) return status;
  if (device_->names.find(from) == nullptr) return Error{from + ": there is no such file"};
  if (from != to) device_->bury(device_->names.find(to));
  device_->names.rename(from, to);
  return device_->end();
}

Status VirtualDisk::remove(const std::string& name) {
  if (auto status = check_file_name(name); !status) return status;
  if (auto status = device_->begin(); !status) return status;
  if (device_->names.find(name) == nullptr) return Error{name + ": there is no such file"};
  device_->bury(device_->names.find(name));
  device_->names.remove(name);
  return device_->end();
}

Status VirtualDisk::sync_names() {
  if (auto status = device_->begin(); !status) return status;
  if (device_->interrupted()) return device_->end();
  if (auto status = device_->sync_names(); !status) return status;
  return device_->end();
}

Status VirtualDisk::refresh() {
  if (auto status = sync_names(); !status) return status;
  device_->refresh();
  return {};
}

Result<uint64_t> VirtualDisk::free_bytes() const {
  if (auto status = device_->begin(); !status) return status.error();
  if (auto status = device_->end(); !status) return status.error();
  return device_->free();
}

void VirtualDisk::crash() {
  device_->crash();
}

void VirtualDisk::kill() {
  device_->start_anew();
}

void VirtualDisk::fail_power_after(uint64_t operations) {
  EVE_CHECK(operations > 0, "1 is the next operation");
  device_->fail_power_after(operations);
}

bool VirtualDisk::power_failed() const {
  return device_->interrupted();
}

VirtualDisk::Copy VirtualDisk::copy() const {
  Copy copy;
  for (const auto& [name, file] : device_->names.disk()) {
    SectorFile durable = *file;
    durable.drop();
    copy[name] = durable.read(0, durable.size());
  }
  return copy;
}

void VirtualDisk::restore(const Copy& files) {
  Names names;
  for (const auto& [name, bytes] : files) {
    auto file = std::make_shared<SectorFile>();
    file->write(0, bytes);
    file->write_back();
    names[name] = std::move(file);
  }
  device_->restore(std::move(names));
}

void VirtualDisk::inject(DiskFault fault, uint64_t chance) {
  EVE_CHECK(chance > 0, "1 is the next chance");
  device_->dice().force(fault, chance);
}

void VirtualDisk::calm() {
  device_->calm();
}

void VirtualDisk::set_capacity(uint64_t bytes) {
  device_->set_capacity(bytes);
}

uint64_t VirtualDisk::count(DiskFault fault) const {
  return device_->dice().count(fault);
}

TimeUs VirtualDisk::take_elapsed() {
  return device_->take_elapsed();
}

}  // namespace eve::sim
