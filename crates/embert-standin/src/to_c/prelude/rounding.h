// Directed rounding and conversions. Modes: 0 to nearest, 1 toward zero, 2 down, 3 up.

// The neighbor of `rounded` on the side of `mode`, if `rounded` is on the wrong side of the exact value;
// `error` is the exact value minus `rounded`.
static inline float direct_f32(float rounded, double error, int mode) {
  if (!(error != 0) || error != error || rounded != rounded) return rounded;
  bool down = mode == 2 || (mode == 1 && rounded > 0), up = mode == 3 || (mode == 1 && rounded < 0);
  if (mode == 1 && rounded == 0) return rounded;
  if (down && error < 0) {
    u32 bits = bits32(rounded);
    return rounded == 0 ? f32(0x80000001) : f32(rounded > 0 ? bits - 1 : bits + 1);
  }
  if (up && error > 0) {
    u32 bits = bits32(rounded);
    return rounded == 0 ? f32(1) : f32(rounded > 0 ? bits + 1 : bits - 1);
  }
  return rounded;
}
static inline float f64_to_f32_directed(double value, int mode) {
  float rounded = (float)value;
  return mode == 0 ? rounded : direct_f32(rounded, value - (double)rounded, mode);
}
// Through a double rounded to odd, which keeps the side of the exact value.
static inline float fma_directed_f32(float a, float b, float c, int mode) {
  return f64_to_f32_directed(add_odd((double)a * b, c), mode);
}
static inline float add_directed_f32(float a, float b, int mode) {
  return f64_to_f32_directed(add_odd(a, b), mode);
}
static inline float sub_directed_f32(float a, float b, int mode) { return add_directed_f32(a, -b, mode); }
static inline float mul_directed_f32(float a, float b, int mode) {
  return f64_to_f32_directed((double)a * b, mode);
}

int fesetround(int);
static inline int begin_rounding(int mode) {
  static const int modes[4] = {0, 0xc00, 0x400, 0x800};
  return fesetround(modes[mode]);
}
#define DIRECTED(op, type, c, ...)                                                                             \
  __attribute__((noinline, unused)) static c op##_directed_##type(c x, c y, c z, int mode) {                   \
    volatile c a = x, b = y, w = z;                                                                            \
    begin_rounding(mode);                                                                                      \
    volatile c result = __VA_ARGS__;                                                                           \
    begin_rounding(0);                                                                                         \
    return result;                                                                                             \
  }
DIRECTED(add3, f64, double, a + b)
DIRECTED(sub3, f64, double, a - b)
DIRECTED(mul3, f64, double, a *b)
DIRECTED(div3, f64, double, a / b)
DIRECTED(fma3, f64, double, __builtin_fma(a, b, w))
DIRECTED(sqrt3, f64, double, __builtin_sqrt(a))
DIRECTED(div3, f32, float, a / b)
DIRECTED(sqrt3, f32, float, __builtin_sqrtf(a))
#define add_directed_f64(a, b, mode) add3_directed_f64(a, b, 0, mode)
#define sub_directed_f64(a, b, mode) sub3_directed_f64(a, b, 0, mode)
#define mul_directed_f64(a, b, mode) mul3_directed_f64(a, b, 0, mode)
#define fma_directed_f64(a, b, c, mode) fma3_directed_f64(a, b, c, mode)
#define div_directed_f64(a, b, mode) div3_directed_f64(a, b, 0, mode)
#define div_directed_f32(a, b, mode) div3_directed_f32(a, b, 0, mode)
#define rcp_directed_f64(a, mode) div3_directed_f64(1, a, 0, mode)
#define rcp_directed_f32(a, mode) div3_directed_f32(1, a, 0, mode)
#define sqrt_directed_f64(a, mode) sqrt3_directed_f64(a, 0, 0, mode)
#define sqrt_directed_f32(a, mode) sqrt3_directed_f32(a, 0, 0, mode)

// Rounds to an integral value.
static inline float integral_f32(float a, int mode) {
  return mode == 0 ? __builtin_rintf(a) : mode == 1 ? __builtin_truncf(a)
       : mode == 2 ? __builtin_floorf(a) : __builtin_ceilf(a);
}
static inline double integral_f64(double a, int mode) {
  return mode == 0 ? __builtin_rint(a) : mode == 1 ? __builtin_trunc(a)
       : mode == 2 ? __builtin_floor(a) : __builtin_ceil(a);
}

// An integral value becomes an integer: NaN is 0 (the smallest signed one for 64 bits), the rest is clamped.
#define TO_INTEGER(name, c, lowest, highest, beyond, nan)                                                      \
  static inline c f64_to_##name(double a) {                                                                    \
    return a != a ? nan : a <= (double)lowest ? lowest : a >= beyond ? highest : (c)a;                         \
  }
TO_INTEGER(i8, i8, -128, 127, 128.0, 0)
TO_INTEGER(i16, i16, -32768, 32767, 32768.0, 0)
TO_INTEGER(i32, i32, (-2147483647 - 1), 2147483647, 2147483648.0, 0)
TO_INTEGER(i64, i64, (-9223372036854775807LL - 1), 9223372036854775807LL, 0x1p63, (-9223372036854775807LL - 1))
TO_INTEGER(u8, u8, 0, 255, 256.0, 0)
TO_INTEGER(u16, u16, 0, 65535, 65536.0, 0)
TO_INTEGER(u32, u32, 0, 4294967295U, 4294967296.0, 0)
TO_INTEGER(u64, u64, 0, 18446744073709551615ULL, 0x1p64, 0x8000000000000000ULL)

// Keeps 53 bits and whether any bit below is set, so that a later rounding to fewer bits is right.
static inline double u64_to_f64_sticky(u64 a) {
  return a >> 53 ? (double)((a & ~0x7ffULL) | (u64)((a & 0x7ff) != 0) << 11) : (double)a;
}
static inline double i64_to_f64_sticky(i64 a) { return a < 0 ? -u64_to_f64_sticky(-(u64)a) : u64_to_f64_sticky(a); }

// Toward zero, for cvt.rz to 16 bits.
static inline u16 f32_to_bf16_rz(float a) { return a != a ? 0x7fff : (u16)(bits32(a) >> 16); }
static inline u16 f32_to_f16_rz(float a) {
  u16 rounded = f32_to_f16(a);
  return a == a && __builtin_fabsf(f16_to_f32(rounded)) > __builtin_fabsf(a) ? rounded - 1 : rounded;
}
// To nearest, ties away from zero.
static inline u32 f32_to_tf32_rna(float a) {
  u32 bits = bits32(a);
  return a != a ? 0x7fffffff : __builtin_isinf(a) ? bits : (bits + 0x1000) & 0xffffe000;
}
static inline u32 f32_to_tf32_rn(float a) {
  u32 bits = bits32(a);
  return a != a ? 0x7fffffff : (bits + 0xfff + (bits >> 13 & 1)) & 0xffffe000;
}
static inline u32 f32_to_tf32_rz(float a) { return a != a ? 0x7fffffff : bits32(a) & 0xffffe000; }
