// What a translated kernel shares with the emulator; emulator/thread.rs has the same layout.
typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef unsigned __int128 u128;
typedef __INT8_TYPE__ i8;
typedef __INT16_TYPE__ i16;
typedef __INT32_TYPE__ i32;
typedef __INT64_TYPE__ i64;
typedef __int128 i128;
typedef _Bool bool;

struct block {
  u32 ntid[3], nctaid[3], ctaid[3];
  u32 dynamic_shared_bytes, total_shared_bytes, unused;
  u8 *shared;
  u8 *parameters;
  void (*trap)(const struct block *, const char *);
  void (*misaligned)(const struct block *, const char *, u64, u32);
  void (*print)(const char *, const u8 *);
};

struct thread {
  u32 tid[3];
  u32 lane;
  u32 site;
  u32 mask;
  u64 address;
  const struct block *block;
  void (*suspend)(struct thread *);
  u64 of_emulator[2];
  u32 in[28];
  u32 out[8];
};

// Waits at the collective instruction `site` until the emulator has computed it.
static inline void collective(struct thread *t, u32 site, u32 mask) {
  t->site = site;
  t->mask = mask;
  t->suspend(t);
}
