// Integer instructions that C has no operator for.
#define SHIFTS(bits)                                                                                           \
  static inline u##bits shl_u##bits(u##bits a, u32 n) { return n >= bits ? 0 : (u##bits)(a << n); }            \
  static inline u##bits shr_u##bits(u##bits a, u32 n) { return n >= bits ? 0 : (u##bits)(a >> n); }            \
  static inline i##bits shr_i##bits(i##bits a, u32 n) { return (i##bits)(a >> (n >= bits ? bits - 1 : n)); }   \
  static inline u##bits div_u##bits(u##bits a, u##bits b) { return b ? a / b : (u##bits)-1; }                  \
  static inline u##bits rem_u##bits(u##bits a, u##bits b) { return b ? a % b : a; }                            \
  static inline i##bits div_i##bits(i##bits a, i##bits b) {                                                    \
    return b == 0 ? -1 : b == -1 ? (i##bits)(0 - (u##bits)a) : a / b;                                          \
  }                                                                                                            \
  static inline i##bits rem_i##bits(i##bits a, i##bits b) { return b == 0 ? a : b == -1 ? 0 : a % b; }         \
  static inline u##bits min_u##bits(u##bits a, u##bits b) { return a < b ? a : b; }                            \
  static inline u##bits max_u##bits(u##bits a, u##bits b) { return a > b ? a : b; }                            \
  static inline i##bits min_i##bits(i##bits a, i##bits b) { return a < b ? a : b; }                            \
  static inline i##bits max_i##bits(i##bits a, i##bits b) { return a > b ? a : b; }
SHIFTS(16)
SHIFTS(32)
SHIFTS(64)

static inline u32 mulhi_u32(u32 a, u32 b) { return (u32)((u64)a * b >> 32); }
static inline i32 mulhi_i32(i32 a, i32 b) { return (i32)((i64)a * b >> 32); }
static inline u64 mulhi_u64(u64 a, u64 b) { return (u64)((u128)a * b >> 64); }
static inline i64 mulhi_i64(i64 a, i64 b) { return (i64)((i128)a * b >> 64); }
static inline u16 mulhi_u16(u16 a, u16 b) { return (u16)((u32)a * b >> 16); }
static inline i16 mulhi_i16(i16 a, i16 b) { return (i16)((i32)a * b >> 16); }

static inline i32 clamp_i32(i64 a) {
  return a < -2147483648LL ? -2147483647 - 1 : a > 2147483647 ? 2147483647 : (i32)a;
}
static inline i128 clamp(i128 a, i128 lowest, i128 highest) { return a < lowest ? lowest : a > highest ? highest : a; }

static inline u32 clz_u32(u32 a) { return a ? __builtin_clz(a) : 32; }
static inline u32 clz_u64(u64 a) { return a ? __builtin_clzll(a) : 64; }
static inline u32 popc_u32(u32 a) { return __builtin_popcount(a); }
static inline u32 popc_u64(u64 a) { return __builtin_popcountll(a); }
static inline u32 brev_u32(u32 a) {
  a = (a >> 1 & 0x55555555) | (a & 0x55555555) << 1;
  a = (a >> 2 & 0x33333333) | (a & 0x33333333) << 2;
  a = (a >> 4 & 0x0f0f0f0f) | (a & 0x0f0f0f0f) << 4;
  return __builtin_bswap32(a);
}
static inline u64 brev_u64(u64 a) { return (u64)brev_u32((u32)a) << 32 | brev_u32((u32)(a >> 32)); }
static inline u32 bfind_u32(u32 a) { return a ? 31 - __builtin_clz(a) : 0xffffffff; }
static inline u32 bfind_u64(u64 a) { return a ? 63 - __builtin_clzll(a) : 0xffffffff; }
static inline u32 bfind_i32(i32 a) { return bfind_u32(a < 0 ? ~a : a); }
static inline u32 bfind_i64(i64 a) { return bfind_u64(a < 0 ? ~a : a); }

#define BIT_FIELDS(bits)                                                                                       \
  static inline u##bits bfe_u##bits(u##bits a, u32 from, u32 length) {                                         \
    from &= 255; length &= 255;                                                                                \
    u##bits field = shr_u##bits(a, from);                                                                      \
    return length >= bits ? field : field & (((u##bits)1 << length) - 1);                                      \
  }                                                                                                            \
  static inline i##bits bfe_i##bits(i##bits a, u32 from, u32 length) {                                         \
    from &= 255; length &= 255;                                                                                \
    if (length == 0) return 0;                                                                                 \
    u32 last = from + length - 1;                                                                              \
    i##bits sign = a >> (last < bits - 1 ? last : bits - 1) & 1 ? -1 : 0;                                      \
    u##bits mask = length >= bits ? (u##bits)-1 : ((u##bits)1 << length) - 1;                                  \
    u##bits field = shr_i##bits(a, from) & mask;                                                               \
    return (i##bits)(field | ((u##bits)sign & ~mask));                                                         \
  }                                                                                                            \
  static inline u##bits bfi_u##bits(u##bits a, u##bits b, u32 from, u32 length) {                              \
    from &= 255; length &= 255;                                                                                \
    u##bits mask = length >= bits ? (u##bits)-1 : ((u##bits)1 << length) - 1;                                  \
    return (b & ~shl_u##bits(mask, from)) | shl_u##bits(a & mask, from);                                       \
  }
BIT_FIELDS(32)
BIT_FIELDS(64)

static inline u32 shf_l(u32 low, u32 high, u32 n) {
  return n == 0 ? high : n >= 32 ? low : high << n | low >> (32 - n);
}
static inline u32 shf_r(u32 low, u32 high, u32 n) {
  return n == 0 ? low : n >= 32 ? high : low >> n | high << (32 - n);
}
static inline u32 prmt(u32 a, u32 b, u32 selector) {
  u64 bytes = (u64)b << 32 | a;
  u32 result = 0;
  for (int i = 0; i < 4; i++) {
    u32 choice = selector >> (4 * i) & 15;
    u8 byte = (u8)(bytes >> (8 * (choice & 7)));
    if (choice & 8) byte = byte & 0x80 ? 0xff : 0;
    result |= (u32)byte << (8 * i);
  }
  return result;
}
static inline u32 lop3(u32 a, u32 b, u32 c, u32 table) {
  u32 result = 0;
  for (int i = 0; i < 8; i++)
    if (table >> i & 1) result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return result;
}
static inline u32 dp4a(u32 a, u32 b, u32 c, bool a_signed, bool b_signed) {
  for (int i = 0; i < 32; i += 8)
    c += (a_signed ? (i32)(i8)(a >> i) : (i32)(u8)(a >> i)) * (b_signed ? (i32)(i8)(b >> i) : (i32)(u8)(b >> i));
  return c;
}
