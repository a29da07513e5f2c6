// Arithmetic of f16 and bf16, carried as bits and rounded once.
static inline float f16_to_f32(u16 bits) { union { u16 bits; _Float16 value; } u = {bits}; return (float)u.value; }
static inline u16 f32_to_f16(float value) {
  union { _Float16 value; u16 bits; } u = {(_Float16)value};
  return value != value ? 0x7fff : u.bits;
}
static inline float bf16_to_f32(u16 bits) { return f32((u32)bits << 16); }
static inline u16 f32_to_bf16(float value) {
  u32 bits = bits32(value);
  return value != value ? 0x7fff : (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Rounds to odd: a second rounding to fewer bits then gives what a single one gives.
static inline float f64_to_f32_odd(double value) {
  float rounded = (float)value;
  if (value != value || (double)rounded == value || __builtin_isinf(value)) return rounded;
  u32 bits = bits32(rounded);
  if (__builtin_fabs((double)rounded) > __builtin_fabs(value)) bits -= 1;
  return f32(bits | 1);
}
static inline u16 f64_to_f16(double value) { return f32_to_f16(f64_to_f32_odd(value)); }
static inline u16 f64_to_bf16(double value) { return f32_to_bf16(f64_to_f32_odd(value)); }

// a + b, rounded to odd.
static inline double add_odd(double a, double b) {
  double sum = a + b, part = sum - a, error = (a - (sum - part)) + (b - part);
  u64 bits = bits64(sum);
  if (!(error != 0) || error != error || (bits & 1)) return sum;
  return f64(((error > 0) == (sum > 0)) ? bits | 1 : bits - 1);
}

#define ARITHMETIC_16(type)                                                                                    \
  static inline u16 add_##type(u16 a, u16 b) { return f32_to_##type(type##_to_f32(a) + type##_to_f32(b)); }    \
  static inline u16 sub_##type(u16 a, u16 b) { return f32_to_##type(type##_to_f32(a) - type##_to_f32(b)); }    \
  static inline u16 mul_##type(u16 a, u16 b) { return f32_to_##type(type##_to_f32(a) * type##_to_f32(b)); }    \
  static inline u16 fma_##type(u16 a, u16 b, u16 c) {                                                          \
    return f64_to_##type(add_odd((double)type##_to_f32(a) * type##_to_f32(b), type##_to_f32(c)));              \
  }                                                                                                            \
  static inline u16 neg_##type(u16 a) { return a ^ 0x8000; }                                                   \
  static inline u16 abs_##type(u16 a) { return a & 0x7fff; }
ARITHMETIC_16(f16)
ARITHMETIC_16(bf16)
