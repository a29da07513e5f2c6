// Arithmetic of f32 and f64 that C has no operator for.
#define ARITHMETIC(type, c, suffix)                                                                            \
  static inline c add_##type(c a, c b) { return a + b; }                                                       \
  static inline c sub_##type(c a, c b) { return a - b; }                                                       \
  static inline c mul_##type(c a, c b) { return a * b; }                                                       \
  static inline c div_##type(c a, c b) { return a / b; }                                                       \
  static inline c fma_##type(c a, c b, c x) { return __builtin_fma##suffix(a, b, x); }                         \
  static inline c neg_##type(c a) { return -a; }                                                               \
  static inline c abs_##type(c a) { return __builtin_fabs##suffix(a); }                                        \
  static inline c sqrt_##type(c a) { return __builtin_sqrt##suffix(a); }                                       \
  static inline c rsqrt_##type(c a) { return 1 / __builtin_sqrt##suffix(a); }                                  \
  static inline c rcp_##type(c a) { return 1 / a; }                                                            \
  static inline c sin_##type(c a) { return __builtin_sin##suffix(a); }                                         \
  static inline c cos_##type(c a) { return __builtin_cos##suffix(a); }                                         \
  static inline c tanh_##type(c a) { return __builtin_tanh##suffix(a); }                                       \
  static inline c ex2_##type(c a) { return __builtin_exp2##suffix(a); }                                        \
  static inline c lg2_##type(c a) { return __builtin_log2##suffix(a); }                                        \
  static inline c copysign_##type(c sign, c a) { return __builtin_copysign##suffix(a, sign); }
ARITHMETIC(f32, float, f)
ARITHMETIC(f64, double, )

#define APPROXIMATE_16(type)                                                                                   \
  static inline u16 ex2_##type(u16 a) { return f32_to_##type(__builtin_exp2f(type##_to_f32(a))); }             \
  static inline u16 tanh_##type(u16 a) { return f32_to_##type(__builtin_tanhf(type##_to_f32(a))); }
APPROXIMATE_16(f16)
APPROXIMATE_16(bf16)

// Flushes a subnormal number to zero.
static inline float ftz_f32(float a) { return __builtin_fabsf(a) < 0x1p-126f ? __builtin_copysignf(0, a) : a; }
static inline double ftz_f64(double a) { return __builtin_fabs(a) < 0x1p-1022 ? __builtin_copysign(0, a) : a; }
static inline u16 ftz_f16(u16 a) { return (a & 0x7c00) ? a : a & 0x8000; }
static inline u16 ftz_bf16(u16 a) { return (a & 0x7f80) ? a : a & 0x8000; }

// Clamps to [0, 1]; NaN becomes 0.
static inline float sat_f32(float a) { return a > 0 ? (a < 1 ? a : 1) : 0; }
static inline double sat_f64(double a) { return a > 0 ? (a < 1 ? a : 1) : 0; }
static inline u16 sat_f16(u16 a) { return f32_to_f16(sat_f32(f16_to_f32(a))); }
static inline u16 sat_bf16(u16 a) { return f32_to_bf16(sat_f32(bf16_to_f32(a))); }

// Clamps to [0, inf]; NaN stays NaN.
static inline float relu_f32(float a) { return a < 0 || a == 0 ? 0 : a; }
static inline u16 relu_f16(u16 a) { return f32_to_f16(relu_f32(f16_to_f32(a))); }
static inline u16 relu_bf16(u16 a) { return f32_to_bf16(relu_f32(bf16_to_f32(a))); }

// The smaller one: a number is preferred to NaN, and -0 is smaller than +0.
#define MINIMUM(type, c, isneg)                                                                                \
  static inline c min_##type(c a, c b) {                                                                       \
    return a != a ? b : b != b ? a : a < b ? a : b < a ? b : isneg(a) ? a : b;                                 \
  }                                                                                                            \
  static inline c max_##type(c a, c b) {                                                                       \
    return a != a ? b : b != b ? a : a > b ? a : b > a ? b : isneg(a) ? b : a;                                 \
  }                                                                                                            \
  static inline c min_nan_##type(c a, c b) { return a != a ? a : b != b ? b : min_##type(a, b); }              \
  static inline c max_nan_##type(c a, c b) { return a != a ? a : b != b ? b : max_##type(a, b); }
MINIMUM(f32, float, __builtin_signbit)
MINIMUM(f64, double, __builtin_signbit)

#define MINIMUM_16(op, type)                                                                                   \
  static inline u16 op##_##type(u16 a, u16 b) { return f32_to_##type(op##_f32(type##_to_f32(a), type##_to_f32(b))); }
MINIMUM_16(min, f16) MINIMUM_16(max, f16) MINIMUM_16(min_nan, f16) MINIMUM_16(max_nan, f16)
MINIMUM_16(min, bf16) MINIMUM_16(max, bf16) MINIMUM_16(min_nan, bf16) MINIMUM_16(max_nan, bf16)

static inline bool is_finite_f32(float a) { return __builtin_isfinite(a); }
static inline bool is_infinite_f32(float a) { return __builtin_isinf(a) != 0; }
static inline bool is_nan_f32(float a) { return a != a; }
static inline bool is_number_f32(float a) { return a == a; }
static inline bool is_normal_f32(float a) { return __builtin_isnormal(a); }
static inline bool is_subnormal_f32(float a) { return __builtin_isfinite(a) && !__builtin_isnormal(a) && a != 0; }
static inline bool is_finite_f64(double a) { return __builtin_isfinite(a); }
static inline bool is_infinite_f64(double a) { return __builtin_isinf(a) != 0; }
static inline bool is_nan_f64(double a) { return a != a; }
static inline bool is_number_f64(double a) { return a == a; }
static inline bool is_normal_f64(double a) { return __builtin_isnormal(a); }
static inline bool is_subnormal_f64(double a) { return __builtin_isfinite(a) && !__builtin_isnormal(a) && a != 0; }
