// Bits of floats, halves of pairs, and memory.
static inline float f32(u32 bits) { union { u32 bits; float value; } u = {bits}; return u.value; }
static inline u32 bits32(float value) { union { float value; u32 bits; } u = {value}; return u.bits; }
static inline double f64(u64 bits) { union { u64 bits; double value; } u = {bits}; return u.value; }
static inline u64 bits64(double value) { union { double value; u64 bits; } u = {value}; return u.bits; }
static inline u16 low(u32 pair) { return (u16)pair; }
static inline u16 high(u32 pair) { return (u16)(pair >> 16); }
static inline u32 pair(u16 low, u16 high) { return (u32)low | (u32)high << 16; }

typedef u8 u8_in_memory __attribute__((may_alias, aligned(1)));
typedef u16 u16_in_memory __attribute__((may_alias, aligned(1)));
typedef u32 u32_in_memory __attribute__((may_alias, aligned(1)));
typedef u64 u64_in_memory __attribute__((may_alias, aligned(1)));
typedef u128 u128_in_memory __attribute__((may_alias, aligned(1)));
#define AT(type, address) (*(type##_in_memory *)(address))
#define AT_VOLATILE(type, address) (*(volatile type##_in_memory *)(address))
