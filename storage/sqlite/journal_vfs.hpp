// JOURNAL VFS: how the journal (SQLite's -wal file) reaches the disk.
//
// SQLite writes a frame of the journal in two small pieces, and a commit has a dozen frames and more: most of
// what a commit costs besides its sync is system calls. Here the pieces of a commit are gathered and written
// in one go right before the sync that makes them count. And a journal that grows makes each sync write the
// file's length too, which costs as much again as the sync; so the file can have its whole length from the
// start, filled with zeros, which SQLite takes for the end of the journal.
//
// Every other file goes to the VFS below untouched. Only for `synchronous = full` and above: without a sync
// nobody says when a commit is whole. One writer; readers of other connections see frames only after their
// commit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace belfry::storage::sqlite {

class journal_vfs {
 public:
  // `parent`: name of a registered VFS; empty: the default one. `room`: bytes that a journal has at least;
  // 0: it grows.
  journal_vfs(const std::string& parent, std::uint64_t room);
  ~journal_vfs();  // after the last connection that uses it
  journal_vfs(const journal_vfs&) = delete;
  journal_vfs& operator=(const journal_vfs&) = delete;

  const std::string& name() const;

 private:
  struct registration;
  std::unique_ptr<registration> registered_;
};

}  // namespace belfry::storage::sqlite
