// The widest float of the machine, for numeric results of transcendental functions: 64 bits of mantissa where there is
// an 80-bit float, so that 16 decimal digits are right; 53 bits elsewhere, where the last digit may be off by one.

import Glibc

#if arch(x86_64) || arch(i386)
  typealias Wide = Float80
#else
  typealias Wide = Double
#endif

extension Wide {
  static func exp(_ x: Wide) -> Wide { Glibc.exp(x) }
  static func log(_ x: Wide) -> Wide { Glibc.log(x) }
  static func log10(_ x: Wide) -> Wide { Glibc.log10(x) }
  static func power(_ x: Wide, _ y: Wide) -> Wide { Glibc.pow(x, y) }
}
