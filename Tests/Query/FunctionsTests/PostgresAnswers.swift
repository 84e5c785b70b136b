// Recorded answers of PostgreSQL 15 (locale C, zone UTC), one a line, fields separated by ¦:
// kind, name, answer (`=text`, `NULL` or `!SQLSTATE message`), then type and text of each argument. ⏎ is a line break.

enum PostgresAnswers {
  static let text = #"""
    operator¦+¦=9¦integer¦7¦integer¦2
    operator¦-¦=5¦integer¦7¦integer¦2
    operator¦*¦=14¦integer¦7¦integer¦2
    operator¦/¦=3¦integer¦7¦integer¦2
    operator¦%¦=1¦integer¦7¦integer¦2
    operator¦+¦=-5¦integer¦-7¦integer¦2
    operator¦-¦=-9¦integer¦-7¦integer¦2
    operator¦*¦=-14¦integer¦-7¦integer¦2
    operator¦/¦=-3¦integer¦-7¦integer¦2
    operator¦%¦=-1¦integer¦-7¦integer¦2
    operator¦+¦!22003 integer out of range¦integer¦2147483647¦integer¦1
    operator¦-¦=2147483646¦integer¦2147483647¦integer¦1
    operator¦*¦=2147483647¦integer¦2147483647¦integer¦1
    operator¦/¦=2147483647¦integer¦2147483647¦integer¦1
    operator¦%¦=0¦integer¦2147483647¦integer¦1
    operator¦+¦=5¦integer¦5¦integer¦0
    operator¦-¦=5¦integer¦5¦integer¦0
    operator¦*¦=0¦integer¦5¦integer¦0
    operator¦/¦!22012 division by zero¦integer¦5¦integer¦0
    operator¦%¦!22012 division by zero¦integer¦5¦integer¦0
    operator¦+¦!22003 bigint out of range¦bigint¦9223372036854775807¦integer¦1
    operator¦*¦!22003 bigint out of range¦bigint¦4000000000¦bigint¦4000000000
    operator¦+¦!22003 smallint out of range¦smallint¦32767¦smallint¦1
    operator¦-¦!22003 integer out of range¦integer¦-2147483648
    operator¦+¦=4.00¦numeric¦1.50¦numeric¦2.5
    operator¦-¦=-1.00¦numeric¦1.50¦numeric¦2.5
    operator¦*¦=3.750¦numeric¦1.50¦numeric¦2.5
    operator¦/¦=0.60000000000000000000¦numeric¦1.50¦numeric¦2.5
    operator¦%¦=1.50¦numeric¦1.50¦numeric¦2.5
    operator¦+¦=4¦numeric¦1¦numeric¦3
    operator¦-¦=-2¦numeric¦1¦numeric¦3
    operator¦*¦=3¦numeric¦1¦numeric¦3
    operator¦/¦=0.33333333333333333333¦numeric¦1¦numeric¦3
    operator¦%¦=1¦numeric¦1¦numeric¦3
    operator¦+¦=14¦numeric¦10¦numeric¦4
    operator¦-¦=6¦numeric¦10¦numeric¦4
    operator¦*¦=40¦numeric¦10¦numeric¦4
    operator¦/¦=2.5000000000000000¦numeric¦10¦numeric¦4
    operator¦%¦=2¦numeric¦10¦numeric¦4
    operator¦+¦=-2.545¦numeric¦-2.555¦numeric¦0.01
    operator¦-¦=-2.565¦numeric¦-2.555¦numeric¦0.01
    operator¦*¦=-0.02555¦numeric¦-2.555¦numeric¦0.01
    operator¦/¦=-255.5000000000000000¦numeric¦-2.555¦numeric¦0.01
    operator¦%¦=-0.005¦numeric¦-2.555¦numeric¦0.01
    operator¦+¦=100007¦numeric¦100000¦numeric¦7
    operator¦-¦=99993¦numeric¦100000¦numeric¦7
    operator¦*¦=700000¦numeric¦100000¦numeric¦7
    operator¦/¦=14285.714285714286¦numeric¦100000¦numeric¦7
    operator¦%¦=5¦numeric¦100000¦numeric¦7
    operator¦+¦=3.001¦numeric¦0.001¦numeric¦3
    operator¦-¦=-2.999¦numeric¦0.001¦numeric¦3
    operator¦*¦=0.003¦numeric¦0.001¦numeric¦3
    operator¦/¦=0.00033333333333333333¦numeric¦0.001¦numeric¦3
    operator¦%¦=0.001¦numeric¦0.001¦numeric¦3
    operator¦+¦=1¦numeric¦1¦numeric¦0
    operator¦-¦=1¦numeric¦1¦numeric¦0
    operator¦*¦=0¦numeric¦1¦numeric¦0
    operator¦/¦!22012 division by zero¦numeric¦1¦numeric¦0
    operator¦%¦!22012 division by zero¦numeric¦1¦numeric¦0
    operator¦+¦=123456789.1237¦numeric¦123456789.123¦numeric¦0.0007
    operator¦-¦=123456789.1223¦numeric¦123456789.123¦numeric¦0.0007
    operator¦*¦=86419.7523861¦numeric¦123456789.123¦numeric¦0.0007
    operator¦/¦=176366841604.28571429¦numeric¦123456789.123¦numeric¦0.0007
    operator¦%¦=0.0002¦numeric¦123456789.123¦numeric¦0.0007
    operator¦+¦=29.000¦numeric¦22¦numeric¦7.000
    operator¦-¦=15.000¦numeric¦22¦numeric¦7.000
    operator¦*¦=154.000¦numeric¦22¦numeric¦7.000
    operator¦/¦=3.1428571428571429¦numeric¦22¦numeric¦7.000
    operator¦%¦=1.000¦numeric¦22¦numeric¦7.000
    operator¦+¦=3.5¦numeric¦5.5¦numeric¦-2
    operator¦-¦=7.5¦numeric¦5.5¦numeric¦-2
    operator¦*¦=-11.0¦numeric¦5.5¦numeric¦-2
    operator¦/¦=-2.7500000000000000¦numeric¦5.5¦numeric¦-2
    operator¦%¦=1.5¦numeric¦5.5¦numeric¦-2
    operator¦+¦=3.5¦double precision¦1.5¦double precision¦2
    operator¦-¦=-0.5¦double precision¦1.5¦double precision¦2
    operator¦*¦=3¦double precision¦1.5¦double precision¦2
    operator¦/¦=0.75¦double precision¦1.5¦double precision¦2
    operator¦+¦=0.30000000000000004¦double precision¦0.1¦double precision¦0.2
    operator¦-¦=-0.1¦double precision¦0.1¦double precision¦0.2
    operator¦*¦=0.020000000000000004¦double precision¦0.1¦double precision¦0.2
    operator¦/¦=0.5¦double precision¦0.1¦double precision¦0.2
    operator¦+¦=1e+308¦double precision¦1e308¦double precision¦10
    operator¦-¦=1e+308¦double precision¦1e308¦double precision¦10
    operator¦*¦!22003 value out of range: overflow¦double precision¦1e308¦double precision¦10
    operator¦/¦=1e+307¦double precision¦1e308¦double precision¦10
    operator¦+¦=1¦double precision¦1¦double precision¦0
    operator¦-¦=1¦double precision¦1¦double precision¦0
    operator¦*¦=0¦double precision¦1¦double precision¦0
    operator¦/¦!22012 division by zero¦double precision¦1¦double precision¦0
    operator¦+¦=NaN¦double precision¦NaN¦double precision¦1
    operator¦-¦=NaN¦double precision¦NaN¦double precision¦1
    operator¦*¦=NaN¦double precision¦NaN¦double precision¦1
    operator¦/¦=NaN¦double precision¦NaN¦double precision¦1
    operator¦=¦=true¦numeric¦1.0¦numeric¦1.00
    operator¦=¦=false¦double precision¦NaN¦double precision¦1
    operator¦=¦=false¦text¦abc¦text¦abd
    operator¦=¦=true¦integer¦3¦bigint¦3
    operator¦=¦=true¦interval¦1 month¦interval¦30 days
    operator¦=¦=false¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦<>¦=false¦numeric¦1.0¦numeric¦1.00
    operator¦<>¦=true¦double precision¦NaN¦double precision¦1
    operator¦<>¦=true¦text¦abc¦text¦abd
    operator¦<>¦=false¦integer¦3¦bigint¦3
    operator¦<>¦=false¦interval¦1 month¦interval¦30 days
    operator¦<>¦=true¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦<¦=false¦numeric¦1.0¦numeric¦1.00
    operator¦<¦=false¦double precision¦NaN¦double precision¦1
    operator¦<¦=true¦text¦abc¦text¦abd
    operator¦<¦=false¦integer¦3¦bigint¦3
    operator¦<¦=false¦interval¦1 month¦interval¦30 days
    operator¦<¦=true¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦<=¦=true¦numeric¦1.0¦numeric¦1.00
    operator¦<=¦=false¦double precision¦NaN¦double precision¦1
    operator¦<=¦=true¦text¦abc¦text¦abd
    operator¦<=¦=true¦integer¦3¦bigint¦3
    operator¦<=¦=true¦interval¦1 month¦interval¦30 days
    operator¦<=¦=true¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦>¦=false¦numeric¦1.0¦numeric¦1.00
    operator¦>¦=true¦double precision¦NaN¦double precision¦1
    operator¦>¦=false¦text¦abc¦text¦abd
    operator¦>¦=false¦integer¦3¦bigint¦3
    operator¦>¦=false¦interval¦1 month¦interval¦30 days
    operator¦>¦=false¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦>=¦=true¦numeric¦1.0¦numeric¦1.00
    operator¦>=¦=true¦double precision¦NaN¦double precision¦1
    operator¦>=¦=false¦text¦abc¦text¦abd
    operator¦>=¦=true¦integer¦3¦bigint¦3
    operator¦>=¦=true¦interval¦1 month¦interval¦30 days
    operator¦>=¦=false¦date¦2024-02-29¦timestamp without time zone¦2024-02-29 00:00:01
    operator¦||¦=ab¦text¦a¦text¦b
    operator¦||¦=n=5¦text¦n=¦integer¦5
    operator¦~~¦=true¦text¦abc¦text¦a%
    operator¦!~~¦=false¦text¦a%c¦text¦a%
    operator¦~~*¦=true¦text¦ABC¦text¦a%
    operator¦~~¦=true¦text¦abc¦text¦%b%
    operator¦!~~¦=true¦text¦a%c¦text¦%b%
    operator¦~~*¦=true¦text¦ABC¦text¦%b%
    operator¦~~¦=true¦text¦abc¦text¦_b_
    operator¦!~~¦=true¦text¦a%c¦text¦_b_
    operator¦~~*¦=true¦text¦ABC¦text¦_b_
    operator¦~~¦=false¦text¦abc¦text¦a\%c
    operator¦!~~¦=false¦text¦a%c¦text¦a\%c
    operator¦~~*¦=false¦text¦ABC¦text¦a\%c
    operator¦~~¦=true¦text¦abc¦text¦%c
    operator¦!~~¦=false¦text¦a%c¦text¦%c
    operator¦~~*¦=true¦text¦ABC¦text¦%c
    operator¦~~¦=true¦text¦abc¦text¦%
    operator¦!~~¦=false¦text¦a%c¦text¦%
    operator¦~~*¦=true¦text¦ABC¦text¦%
    operator¦~~¦=true¦text¦abc¦text¦abc
    operator¦!~~¦=true¦text¦a%c¦text¦abc
    operator¦~~*¦=true¦text¦ABC¦text¦abc
    operator¦~~¦=true¦text¦abc¦text¦a_c%
    operator¦!~~¦=false¦text¦a%c¦text¦a_c%
    operator¦~~*¦=true¦text¦ABC¦text¦a_c%
    operator¦~~¦=true¦text¦abc¦text¦%a%c%
    operator¦!~~¦=false¦text¦a%c¦text¦%a%c%
    operator¦~~*¦=true¦text¦ABC¦text¦%a%c%
    operator¦~¦=true¦text¦abc1¦text¦^(a|x)b
    operator¦~*¦=true¦text¦abc1¦text¦^(a|x)b
    operator¦~¦=false¦text¦abc1¦text¦c$
    operator¦~*¦=false¦text¦abc1¦text¦c$
    operator¦~¦=false¦text¦abc1¦text¦^b
    operator¦~*¦=false¦text¦abc1¦text¦^b
    operator¦~¦=true¦text¦abc1¦text¦[0-9]+
    operator¦~*¦=true¦text¦abc1¦text¦[0-9]+
    operator¦~¦=true¦text¦abc1¦text¦\d
    operator¦~*¦=true¦text¦abc1¦text¦\d
    operator¦~¦=false¦text¦abc1¦text¦A
    operator¦~*¦=true¦text¦abc1¦text¦A
    operator¦&¦=8¦integer¦12¦integer¦10
    operator¦|¦=14¦integer¦12¦integer¦10
    operator¦#¦=6¦integer¦12¦integer¦10
    operator¦<<¦=16¦integer¦1¦integer¦4
    cast¦integer¦=2¦double precision¦1.5
    cast¦bigint¦=2¦double precision¦1.5
    cast¦numeric¦=1.5¦double precision¦1.5
    cast¦real¦=1.5¦double precision¦1.5
    cast¦integer¦=2¦double precision¦2.5
    cast¦bigint¦=2¦double precision¦2.5
    cast¦numeric¦=2.5¦double precision¦2.5
    cast¦real¦=2.5¦double precision¦2.5
    cast¦integer¦=0¦double precision¦-0.5
    cast¦bigint¦=0¦double precision¦-0.5
    cast¦numeric¦=-0.5¦double precision¦-0.5
    cast¦real¦=-0.5¦double precision¦-0.5
    cast¦integer¦=2¦double precision¦2.449
    cast¦bigint¦=2¦double precision¦2.449
    cast¦numeric¦=2.449¦double precision¦2.449
    cast¦real¦=2.449¦double precision¦2.449
    cast¦integer¦!22003 integer out of range¦double precision¦1e20
    cast¦bigint¦!22003 bigint out of range¦double precision¦1e20
    cast¦numeric¦=100000000000000000000¦double precision¦1e20
    cast¦real¦=1e+20¦double precision¦1e20
    cast¦integer¦!22003 integer out of range¦double precision¦NaN
    cast¦bigint¦!22003 bigint out of range¦double precision¦NaN
    cast¦numeric¦=NaN¦double precision¦NaN
    cast¦real¦=NaN¦double precision¦NaN
    cast¦double precision¦=0.1¦text¦0.1
    cast¦double precision¦=1e+20¦text¦1e20
    cast¦double precision¦=1e+15¦text¦1e15
    cast¦double precision¦=100000000000000¦text¦1e14
    cast¦double precision¦=1.2345678901234568e+17¦text¦123456789012345680
    cast¦double precision¦=1e-05¦text¦1e-5
    cast¦double precision¦=0.0001¦text¦0.0001
    cast¦double precision¦=-0¦text¦-0
    cast¦double precision¦=Infinity¦text¦Infinity
    cast¦double precision¦=-Infinity¦text¦-Infinity
    cast¦double precision¦=NaN¦text¦NaN
    cast¦double precision¦=1e-320¦text¦1e-320
    cast¦double precision¦=5e-324¦text¦5e-324
    cast¦double precision¦=0.5¦text¦.5
    cast¦double precision¦=5¦text¦5.
    cast¦double precision¦=3¦text¦+3
    cast¦double precision¦!22P02 invalid input syntax for type double precision: "abc"¦text¦abc
    cast¦double precision¦!22003 "1e400" is out of range for type double precision¦text¦1e400
    cast¦double precision¦=100¦text¦100
    cast¦double precision¦=1234567.891¦text¦1234567.891
    cast¦real¦=0.1¦text¦0.1
    cast¦real¦=1e+20¦text¦1e20
    cast¦real¦=123456¦text¦123456
    cast¦real¦=1.234567e+06¦text¦1234567
    cast¦real¦=3.4e+38¦text¦3.4e38
    cast¦real¦!22003 "1e39" is out of range for type real¦text¦1e39
    cast¦real¦=1.6777216e+07¦text¦16777217
    cast¦numeric¦=1.50¦text¦1.50
    cast¦numeric¦=0.5¦text¦.5
    cast¦numeric¦=1000¦text¦1e3
    cast¦numeric¦=0.001¦text¦1e-3
    cast¦numeric¦=0.00¦text¦-0.00
    cast¦numeric¦=NaN¦text¦NaN
    cast¦numeric¦!22P02 invalid input syntax for type numeric: "abc"¦text¦abc
    cast¦numeric¦!22P02 invalid input syntax for type numeric: "1.2.3"¦text¦1.2.3
    cast¦numeric¦=123.4500¦text¦000123.4500
    cast¦numeric¦!22P02 invalid input syntax for type numeric: ""¦text¦
    cast¦integer¦=12¦text¦12
    cast¦integer¦=0¦text¦-0
    cast¦integer¦=7¦text¦+7
    cast¦integer¦=42¦text¦ 42 
    cast¦integer¦!22003 value "2147483648" is out of range for type integer¦text¦2147483648
    cast¦integer¦!22P02 invalid input syntax for type integer: "abc"¦text¦abc
    cast¦integer¦!22P02 invalid input syntax for type integer: "1.5"¦text¦1.5
    cast¦integer¦!22P02 invalid input syntax for type integer: ""¦text¦
    cast¦integer¦=-2147483648¦text¦-2147483648
    cast¦smallint¦!22003 value "40000" is out of range for type smallint¦text¦40000
    cast¦bigint¦!22003 value "9223372036854775808" is out of range for type bigint¦text¦9223372036854775808
    cast¦boolean¦=true¦text¦t
    cast¦boolean¦=true¦text¦true
    cast¦boolean¦=true¦text¦TRUE
    cast¦boolean¦=true¦text¦yes
    cast¦boolean¦=true¦text¦on
    cast¦boolean¦=true¦text¦1
    cast¦boolean¦=false¦text¦0
    cast¦boolean¦=false¦text¦off
    cast¦boolean¦=false¦text¦no
    cast¦boolean¦=false¦text¦n
    cast¦boolean¦!22P02 invalid input syntax for type boolean: "maybe"¦text¦maybe
    cast¦boolean¦!22P02 invalid input syntax for type boolean: "o"¦text¦o
    cast¦boolean¦=true¦text¦tr
    cast¦numeric(5,2)¦=123.46¦numeric¦123.456
    cast¦numeric(5,2)¦!22003 numeric field overflow¦numeric¦1234.5
    cast¦numeric(5,2)¦=-0.01¦text¦-0.005
    cast¦varchar(3)¦=abc¦text¦abcdef
    cast¦character(5)¦=ab¦text¦ab
    cast¦integer¦=3¦numeric¦2.5
    cast¦integer¦=-3¦numeric¦-2.5
    cast¦integer¦!22003 integer out of range¦numeric¦3e9
    cast¦double precision¦=0.1¦numeric¦0.1
    cast¦numeric¦=42¦integer¦42
    cast¦numeric¦=0.1¦real¦0.1
    cast¦integer¦=1¦boolean¦t
    cast¦text¦=false¦boolean¦f
    cast¦date¦=2024-02-29¦text¦2024-02-29
    cast¦date¦!22008 date/time field value out of range: "2024-02-30"¦text¦2024-02-30
    cast¦date¦=2024-03-15¦text¦20240315
    cast¦date¦=2024-03-05¦text¦2024/3/5
    cast¦date¦=2024-03-05¦text¦Mar 5 2024
    cast¦date¦=2024-03-05¦text¦5 March 2024
    cast¦date¦=2024-01-02¦text¦1/2/2024
    cast¦date¦=0044-03-15 BC¦text¦0044-03-15 BC
    cast¦date¦=infinity¦text¦infinity
    cast¦date¦=1970-01-01¦text¦epoch
    cast¦date¦!22007 invalid input syntax for type date: "abc"¦text¦abc
    cast¦date¦!22008 date/time field value out of range: "2024-13-01"¦text¦2024-13-01
    cast¦date¦=1999-01-08¦text¦1999-Jan-08
    cast¦timestamp without time zone¦=2024-02-29 12:34:56.789¦text¦2024-02-29 12:34:56.789
    cast¦timestamp with time zone¦=2024-02-29 12:34:56.789+00¦text¦2024-02-29 12:34:56.789
    cast¦timestamp without time zone¦=2024-02-29 12:34:56¦text¦2024-02-29T12:34:56Z
    cast¦timestamp with time zone¦=2024-02-29 12:34:56+00¦text¦2024-02-29T12:34:56Z
    cast¦timestamp without time zone¦=2024-02-29 12:34:00¦text¦2024-02-29 12:34
    cast¦timestamp with time zone¦=2024-02-29 12:34:00+00¦text¦2024-02-29 12:34
    cast¦timestamp without time zone¦=2024-02-29 00:00:00¦text¦2024-02-29
    cast¦timestamp with time zone¦=2024-02-29 00:00:00+00¦text¦2024-02-29
    cast¦timestamp without time zone¦=2024-01-02 00:00:00¦text¦2024-01-01 24:00:00
    cast¦timestamp with time zone¦=2024-01-02 00:00:00+00¦text¦2024-01-01 24:00:00
    cast¦timestamp without time zone¦!22008 date/time field value out of range: "2024-01-01 25:00:00"¦text¦2024-01-01 25:00:00
    cast¦timestamp with time zone¦!22008 date/time field value out of range: "2024-01-01 25:00:00"¦text¦2024-01-01 25:00:00
    cast¦timestamp without time zone¦=infinity¦text¦infinity
    cast¦timestamp with time zone¦=infinity¦text¦infinity
    cast¦timestamp without time zone¦=2024-01-01 22:00:00¦text¦2024-01-01 10:00:00 PM
    cast¦timestamp with time zone¦=2024-01-01 22:00:00+00¦text¦2024-01-01 10:00:00 PM
    cast¦timestamp without time zone¦=2024-01-01 12:00:00.123457¦text¦2024-01-01 12:00:00.1234567
    cast¦timestamp with time zone¦=2024-01-01 12:00:00.123457+00¦text¦2024-01-01 12:00:00.1234567
    cast¦timestamp without time zone¦=1969-12-31 23:59:59.5¦text¦1969-12-31 23:59:59.5
    cast¦timestamp with time zone¦=1969-12-31 23:59:59.5+00¦text¦1969-12-31 23:59:59.5
    cast¦timestamp without time zone¦!22007 invalid input syntax for type timestamp: "abc"¦text¦abc
    cast¦timestamp with time zone¦!22007 invalid input syntax for type timestamp with time zone: "abc"¦text¦abc
    cast¦timestamp with time zone¦=2024-02-29 10:34:56+00¦text¦2024-02-29 12:34:56+02
    cast¦timestamp with time zone¦=2024-02-29 18:04:56+00¦text¦2024-02-29 12:34:56-05:30
    cast¦timestamp with time zone¦=2024-02-29 17:34:56+00¦text¦2024-02-29 12:34:56 EST
    cast¦interval¦=1 day¦text¦1 day
    cast¦interval¦=1 year 2 mons 3 days 04:05:06.789¦text¦1 year 2 mons 3 days 04:05:06.789
    cast¦interval¦=-1 days +02:03:04¦text¦-1 day +02:03:04
    cast¦interval¦=1 mon -1 days¦text¦1 month -1 day
    cast¦interval¦=-03:00:00¦text¦3 hours ago
    cast¦interval¦=1 year 2 mons 3 days 04:05:06¦text¦P1Y2M3DT4H5M6S
    cast¦interval¦=1 day 12:00:00¦text¦1.5 days
    cast¦interval¦=1 year 2 mons¦text¦1-2
    cast¦interval¦=01:30:00¦text¦90 minutes
    cast¦interval¦=14 days¦text¦2 weeks
    cast¦interval¦=00:00:00¦text¦0
    cast¦interval¦=00:01:40¦text¦100
    cast¦interval¦=1 mon 15 days¦text¦1.5 months
    cast¦interval¦!22007 invalid input syntax for type interval: "abc"¦text¦abc
    cast¦interval¦=-00:00:01¦text¦-00:00:01
    cast¦interval¦=-1 years¦text¦1 year ago
    cast¦time without time zone¦=12:34:56¦text¦12:34:56
    cast¦time without time zone¦=23:59:59.999999¦text¦23:59:59.999999
    cast¦time without time zone¦=01:02:03¦text¦1:2:3
    cast¦time without time zone¦!22008 date/time field value out of range: "25:00"¦text¦25:00
    cast¦time without time zone¦=22:00:00¦text¦10:00 pm
    cast¦uuid¦=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11¦text¦a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
    cast¦uuid¦=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11¦text¦A0EEBC999C0B4EF8BB6D6BB9BD380A11
    cast¦uuid¦=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11¦text¦{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}
    cast¦uuid¦!22P02 invalid input syntax for type uuid: "abc"¦text¦abc
    cast¦integer[]¦={1,2,3}¦text¦{1,2,3}
    cast¦integer[]¦={1,NULL,3}¦text¦{1,NULL,3}
    cast¦integer[]¦={}¦text¦{}
    cast¦integer[]¦!22P02 malformed array literal: "{1,2"¦text¦{1,2
    cast¦integer[]¦!22P02 malformed array literal: "abc"¦text¦abc
    cast¦integer[]¦!22P02 invalid input syntax for type integer: "a"¦text¦{a}
    cast¦text[]¦={a,"b c","d\"e",NULL,"null",""}¦text¦{a,"b c","d\"e",NULL,"null",""}
    cast¦text[]¦={x,y}¦text¦{ x , y }
    cast¦bytea¦=\xdeadbeef¦text¦\xdeadBEEF
    cast¦bytea¦=\x6162635c64¦text¦abc\\d
    cast¦bytea¦!22023 invalid hexadecimal data: odd number of digits¦text¦\xabc
    cast¦bytea¦!22023 invalid hexadecimal digit: "z"¦text¦\xzz
    function¦ceil¦=2¦double precision¦1.5
    function¦ceil¦=2¦numeric¦1.5
    function¦floor¦=1¦double precision¦1.5
    function¦floor¦=1¦numeric¦1.5
    function¦round¦=2¦double precision¦1.5
    function¦round¦=2¦numeric¦1.5
    function¦trunc¦=1¦double precision¦1.5
    function¦trunc¦=1¦numeric¦1.5
    function¦abs¦=1.5¦double precision¦1.5
    function¦abs¦=1.5¦numeric¦1.5
    function¦sign¦=1¦double precision¦1.5
    function¦sign¦=1¦numeric¦1.5
    function¦ceil¦=-1¦double precision¦-1.5
    function¦ceil¦=-1¦numeric¦-1.5
    function¦floor¦=-2¦double precision¦-1.5
    function¦floor¦=-2¦numeric¦-1.5
    function¦round¦=-2¦double precision¦-1.5
    function¦round¦=-2¦numeric¦-1.5
    function¦trunc¦=-1¦double precision¦-1.5
    function¦trunc¦=-1¦numeric¦-1.5
    function¦abs¦=1.5¦double precision¦-1.5
    function¦abs¦=1.5¦numeric¦-1.5
    function¦sign¦=-1¦double precision¦-1.5
    function¦sign¦=-1¦numeric¦-1.5
    function¦ceil¦=3¦double precision¦2.5
    function¦ceil¦=3¦numeric¦2.5
    function¦floor¦=2¦double precision¦2.5
    function¦floor¦=2¦numeric¦2.5
    function¦round¦=2¦double precision¦2.5
    function¦round¦=3¦numeric¦2.5
    function¦trunc¦=2¦double precision¦2.5
    function¦trunc¦=2¦numeric¦2.5
    function¦abs¦=2.5¦double precision¦2.5
    function¦abs¦=2.5¦numeric¦2.5
    function¦sign¦=1¦double precision¦2.5
    function¦sign¦=1¦numeric¦2.5
    function¦ceil¦=1¦double precision¦0.5
    function¦ceil¦=1¦numeric¦0.5
    function¦floor¦=0¦double precision¦0.5
    function¦floor¦=0¦numeric¦0.5
    function¦round¦=0¦double precision¦0.5
    function¦round¦=1¦numeric¦0.5
    function¦trunc¦=0¦double precision¦0.5
    function¦trunc¦=0¦numeric¦0.5
    function¦abs¦=0.5¦double precision¦0.5
    function¦abs¦=0.5¦numeric¦0.5
    function¦sign¦=1¦double precision¦0.5
    function¦sign¦=1¦numeric¦0.5
    function¦ceil¦=-0¦double precision¦-0.4
    function¦ceil¦=0¦numeric¦-0.4
    function¦floor¦=-1¦double precision¦-0.4
    function¦floor¦=-1¦numeric¦-0.4
    function¦round¦=-0¦double precision¦-0.4
    function¦round¦=0¦numeric¦-0.4
    function¦trunc¦=-0¦double precision¦-0.4
    function¦trunc¦=0¦numeric¦-0.4
    function¦abs¦=0.4¦double precision¦-0.4
    function¦abs¦=0.4¦numeric¦-0.4
    function¦sign¦=-1¦double precision¦-0.4
    function¦sign¦=-1¦numeric¦-0.4
    function¦round¦=123.46¦numeric¦123.456¦integer¦2
    function¦trunc¦=123.45¦numeric¦123.456¦integer¦2
    function¦round¦=120¦numeric¦123.456¦integer¦-1
    function¦trunc¦=120¦numeric¦123.456¦integer¦-1
    function¦round¦=123¦numeric¦123.456¦integer¦0
    function¦trunc¦=123¦numeric¦123.456¦integer¦0
    function¦round¦=-3¦numeric¦-2.5¦integer¦0
    function¦trunc¦=-2¦numeric¦-2.5¦integer¦0
    function¦round¦=200¦numeric¦155¦integer¦-2
    function¦trunc¦=100¦numeric¦155¦integer¦-2
    function¦round¦=1.01¦numeric¦1.005¦integer¦2
    function¦trunc¦=1.00¦numeric¦1.005¦integer¦2
    function¦sqrt¦=1.4142135623730951¦double precision¦2
    function¦sqrt¦=1.414213562373095¦numeric¦2
    function¦sqrt¦=4¦double precision¦16
    function¦sqrt¦=4.000000000000000¦numeric¦16
    function¦sqrt¦=0¦double precision¦0
    function¦sqrt¦=0.000000000000000¦numeric¦0
    function¦sqrt¦!2201F cannot take square root of a negative number¦double precision¦-1
    function¦sqrt¦!2201F cannot take square root of a negative number¦numeric¦-1
    function¦sqrt¦=0.7071067811865476¦double precision¦0.5
    function¦sqrt¦=0.70710678118654752¦numeric¦0.5
    function¦sqrt¦=100000¦double precision¦1e10
    function¦sqrt¦=100000.00000000000¦numeric¦1e10
    function¦sqrt¦=1.4142135623730951¦double precision¦2.00
    function¦sqrt¦=1.414213562373095¦numeric¦2.00
    function¦power¦=1024¦double precision¦2¦double precision¦10
    function¦power¦=1024.0000000000000000¦numeric¦2¦numeric¦10
    function¦power¦=2.2500000000000000¦numeric¦1.5¦numeric¦2
    function¦power¦!2201F a negative number raised to a non-integer power yields a complex result¦double precision¦-8¦double precision¦0.5
    function¦power¦=0.5000000000000000¦numeric¦2¦numeric¦-1
    function¦exp¦=2.718281828459045¦double precision¦1
    function¦ln¦=2.302585092994046¦double precision¦10
    function¦log¦=2¦double precision¦100
    function¦ln¦!2201E cannot take logarithm of zero¦double precision¦0
    function¦ln¦=2.3025850929940457¦numeric¦10
    function¦log¦=2.0000000000000000¦numeric¦100
    function¦ln¦!2201E cannot take logarithm of a negative number¦double precision¦-1
    function¦mod¦=1¦integer¦7¦integer¦-3
    function¦mod¦=1.5¦numeric¦7.5¦numeric¦2
    function¦div¦=3¦numeric¦7¦numeric¦2
    function¦pi¦=3.141592653589793
    function¦degrees¦=57.29577951308232¦double precision¦1
    function¦atan2¦=0.4636476090008061¦double precision¦1¦double precision¦2
    function¦length¦=7¦text¦Äbc déf
    function¦upper¦=ABC¦text¦abC
    function¦lower¦=abc¦text¦ABc
    function¦initcap¦=Hello World¦text¦hello wORLD
    function¦reverse¦=cba¦text¦abc
    function¦octet_length¦=9¦text¦Äbc déf
    function¦substr¦=bc déf¦text¦Äbc déf¦integer¦2
    function¦substr¦=Ä¦text¦Äbc déf¦integer¦0¦integer¦2
    function¦substr¦=Äb¦text¦Äbc déf¦integer¦-1¦integer¦4
    function¦substr¦=c ¦text¦Äbc déf¦integer¦3¦integer¦2
    function¦substr¦!22011 negative substring length not allowed¦text¦Äbc déf¦integer¦2¦integer¦-1
    function¦substr¦=¦text¦Äbc déf¦integer¦10¦integer¦2
    function¦left¦=Äb¦text¦Äbc déf¦integer¦2
    function¦right¦=éf¦text¦Äbc déf¦integer¦2
    function¦left¦=Äbc d¦text¦Äbc déf¦integer¦-2
    function¦right¦=c déf¦text¦Äbc déf¦integer¦-2
    function¦left¦=¦text¦Äbc déf¦integer¦0
    function¦right¦=¦text¦Äbc déf¦integer¦0
    function¦left¦=Äbc déf¦text¦Äbc déf¦integer¦100
    function¦right¦=Äbc déf¦text¦Äbc déf¦integer¦100
    function¦left¦=¦text¦Äbc déf¦integer¦-100
    function¦right¦=¦text¦Äbc déf¦integer¦-100
    function¦btrim¦=ab¦text¦  ab 
    function¦ltrim¦=ab¦text¦xxab¦text¦x
    function¦rtrim¦=ab¦text¦abxyx¦text¦xy
    function¦replace¦=a--b--¦text¦aXbX¦text¦X¦text¦--
    function¦strpos¦=5¦text¦Äbc déf¦text¦d
    function¦strpos¦=1¦text¦a¦text¦
    function¦split_part¦=a¦text¦a,b¦text¦,¦integer¦1
    function¦split_part¦=b¦text¦a,b¦text¦,¦integer¦2
    function¦split_part¦=¦text¦a,b¦text¦,¦integer¦3
    function¦split_part¦=b¦text¦a,b¦text¦,¦integer¦-1
    function¦split_part¦!22023 field position must not be zero¦text¦a,b¦text¦,¦integer¦0
    function¦repeat¦=ababab¦text¦ab¦integer¦3
    function¦lpad¦=   hi¦text¦hi¦integer¦5
    function¦lpad¦=xyxhi¦text¦hi¦integer¦5¦text¦xy
    function¦rpad¦=hel¦text¦hello¦integer¦3
    function¦rpad¦=hixyx¦text¦hi¦integer¦5¦text¦xy
    function¦starts_with¦=true¦text¦abc¦text¦ab
    function¦md5¦=5d41402abc4b2a76b9719d911017c592¦text¦hello
    function¦md5¦=d41d8cd98f00b204e9800998ecf8427e¦text¦
    function¦md5¦=aed563ecafb4bcc5654c597a421547b2¦text¦xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    function¦quote_ident¦="Foo"¦text¦Foo
    function¦quote_ident¦="select"¦text¦select
    function¦quote_ident¦=a_1¦text¦a_1
    function¦quote_literal¦=E'O''R\\x'¦text¦O'R\x
    function¦ascii¦=65¦text¦A
    function¦chr¦=€¦integer¦8364
    function¦to_hex¦=ff¦integer¦255
    function¦to_hex¦=ffffffff¦integer¦-1
    function¦translate¦=a2x5¦text¦12345¦text¦143¦text¦ax
    function¦encode¦=0102ff¦bytea¦\x0102ff¦text¦hex
    function¦encode¦=AQL/¦bytea¦\x0102ff¦text¦base64
    function¦string_to_array¦={a,b,"",c}¦text¦a,b,,c¦text¦,
    function¦array_to_string¦=1,3¦integer[]¦{1,NULL,3}¦text¦,
    function¦array_to_string¦=1,*,3¦integer[]¦{1,NULL,3}¦text¦,¦text¦*
    function¦array_length¦=2¦integer[]¦{1,2}¦integer¦1
    function¦cardinality¦=2¦integer[]¦{1,2}
    function¦array_position¦=2¦integer[]¦{5,6}¦integer¦6
    function¦regexp_replace¦=fooXarYXazY¦text¦foobarbaz¦text¦b(..)¦text¦X\1Y¦text¦g
    function¦regexp_replace¦=f0obar¦text¦foobar¦text¦o¦text¦0
    function¦date_trunc¦=2024-02-29 12:34:56.789012¦text¦microseconds¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 23:59:59.5¦text¦microseconds¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-29 12:34:56.789¦text¦milliseconds¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 23:59:59.5¦text¦milliseconds¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-29 12:34:56¦text¦second¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 23:59:59¦text¦second¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-29 12:34:00¦text¦minute¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 23:59:00¦text¦minute¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-29 12:00:00¦text¦hour¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 23:00:00¦text¦hour¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-29 00:00:00¦text¦day¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-31 00:00:00¦text¦day¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-26 00:00:00¦text¦week¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-29 00:00:00¦text¦week¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-02-01 00:00:00¦text¦month¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-12-01 00:00:00¦text¦month¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-01-01 00:00:00¦text¦quarter¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-10-01 00:00:00¦text¦quarter¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2024-01-01 00:00:00¦text¦year¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1969-01-01 00:00:00¦text¦year¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2020-01-01 00:00:00¦text¦decade¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1960-01-01 00:00:00¦text¦decade¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2001-01-01 00:00:00¦text¦century¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1901-01-01 00:00:00¦text¦century¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦=2001-01-01 00:00:00¦text¦millennium¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦=1001-01-01 00:00:00¦text¦millennium¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_trunc¦!22023 unit "foo" not recognized for type timestamp without time zone¦text¦foo¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_trunc¦!22023 unit "foo" not recognized for type timestamp without time zone¦text¦foo¦timestamp without time zone¦1969-12-31 23:59:59.5
    function¦date_part¦=56789012¦text¦microseconds¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=3000000¦text¦microseconds¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦microseconds¦=56789012¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦microseconds¦=6789000¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=6789000¦text¦microseconds¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=56789.012¦text¦milliseconds¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=3000¦text¦milliseconds¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦milliseconds¦=56789.012¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦milliseconds¦=6789.000¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=6789¦text¦milliseconds¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=56.789012¦text¦second¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=3¦text¦second¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦second¦=56.789012¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦second¦=6.789000¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=6.789¦text¦second¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=34¦text¦minute¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=2¦text¦minute¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦minute¦=34¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦minute¦=5¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=5¦text¦minute¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=12¦text¦hour¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=1¦text¦hour¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦hour¦=12¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦hour¦=4¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=4¦text¦hour¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=29¦text¦day¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=31¦text¦day¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦day¦=29¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦day¦=3¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=-3¦text¦day¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=9¦text¦week¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=52¦text¦week¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦week¦=9¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=2¦text¦month¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=12¦text¦month¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦month¦=2¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦month¦=2¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=0¦text¦month¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=1¦text¦quarter¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=4¦text¦quarter¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦quarter¦=1¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦quarter¦=1¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=1¦text¦quarter¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=2024¦text¦year¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=1899¦text¦year¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦year¦=2024¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦year¦=2¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=-1¦text¦year¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=202¦text¦decade¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=189¦text¦decade¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦decade¦=202¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦decade¦=0¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=0¦text¦decade¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=21¦text¦century¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=19¦text¦century¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦century¦=21¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦century¦=0¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=0¦text¦century¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=3¦text¦millennium¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=2¦text¦millennium¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦millennium¦=3¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦millennium¦=0¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=0¦text¦millennium¦interval¦-1 year -3 days 04:05:06.789
    function¦date_part¦=4¦text¦dow¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=0¦text¦dow¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦dow¦=4¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=4¦text¦isodow¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=7¦text¦isodow¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦isodow¦=4¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=60¦text¦doy¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=365¦text¦doy¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦doy¦=60¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=2024¦text¦isoyear¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=1899¦text¦isoyear¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦isoyear¦=2024¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=1709210096.789012¦text¦epoch¦timestamp without time zone¦2024-02-29 12:34:56.789012
    function¦date_part¦=-2209071477¦text¦epoch¦timestamp without time zone¦1899-12-31 01:02:03
    extract¦epoch¦=1709210096.789012¦timestamp without time zone¦2024-02-29 12:34:56.789012
    extract¦epoch¦=68573106.789000¦interval¦1 year 14 mons 3 days 04:05:06.789
    function¦date_part¦=-31802093.211¦text¦epoch¦interval¦-1 year -3 days 04:05:06.789
    extract¦day¦=3¦date¦2021-01-03
    extract¦month¦=1¦date¦2021-01-03
    extract¦year¦=2021¦date¦2021-01-03
    extract¦epoch¦=1609632000¦date¦2021-01-03
    extract¦dow¦=0¦date¦2021-01-03
    extract¦week¦=53¦date¦2021-01-03
    function¦date_bin¦=2024-02-29 12:30:00¦interval¦15 minutes¦timestamp without time zone¦2024-02-29 12:34:56.789012¦timestamp without time zone¦2001-01-01
    function¦date_bin¦=2000-12-25 00:00:00¦interval¦7 days¦timestamp without time zone¦2000-12-31¦timestamp without time zone¦2001-01-01
    function¦date_bin¦!0A000 timestamps cannot be binned into intervals containing months or years¦interval¦1 month¦timestamp without time zone¦2024-02-29 12:34:56.789012¦timestamp without time zone¦2001-01-01
    function¦date_bin¦!22008 stride must be greater than zero¦interval¦0 s¦timestamp without time zone¦2024-02-29 12:34:56.789012¦timestamp without time zone¦2001-01-01
    function¦age¦=1 year 1 mon 1 day¦timestamp without time zone¦2024-03-01¦timestamp without time zone¦2023-01-31
    function¦age¦=-1 years -1 mons -1 days -12:00:00¦timestamp without time zone¦2023-01-31¦timestamp without time zone¦2024-03-01 12:00
    function¦age¦=23:00:00¦timestamp without time zone¦2024-05-15 10:00¦timestamp without time zone¦2024-05-14 11:00
    function¦make_date¦=2024-02-29¦integer¦2024¦integer¦2¦integer¦29
    function¦make_date¦!22008 date field value out of range: 2023-02-29¦integer¦2023¦integer¦2¦integer¦29
    function¦make_timestamp¦=2024-02-29 01:02:03.5¦integer¦2024¦integer¦2¦integer¦29¦integer¦1¦integer¦2¦double precision¦3.5
    function¦make_interval¦=1 year 2 mons 21 days¦integer¦1¦integer¦2¦integer¦3
    function¦to_timestamp¦=2023-11-14 22:13:20.123456+00¦double precision¦1700000000.123456
    function¦timezone¦=2024-01-01 00:00:00¦text¦UTC¦timestamp with time zone¦2024-01-01 00:00:00+00
    function¦timezone¦=2024-01-01 03:00:00+00¦text¦+03¦timestamp without time zone¦2024-01-01 00:00:00
    operator¦+¦=2024-03-01¦date¦2024-02-28¦integer¦2
    operator¦-¦=29¦date¦2024-03-01¦date¦2024-02-01
    operator¦+¦=2024-02-29 00:00:00¦date¦2024-01-31¦interval¦1 month
    operator¦+¦=2024-03-01 11:00:00¦timestamp without time zone¦2024-01-31 10:00¦interval¦1 month 1 day 01:00
    operator¦-¦=2024-02-29 10:00:00¦timestamp without time zone¦2024-03-31 10:00¦interval¦1 month
    operator¦-¦=1 day 23:00:00¦timestamp without time zone¦2024-03-01 10:00¦timestamp without time zone¦2024-02-28 11:00
    operator¦*¦=1 mon 16 days 12:00:00¦interval¦1 month 1 day¦double precision¦1.5
    operator¦/¦=03:25:42.857143¦interval¦1 day¦double precision¦7
    operator¦-¦=-1 days +01:00:00¦interval¦1 day -1 hour
    operator¦+¦=1 day -25:00:00¦interval¦1 day¦interval¦-25 hours
    operator¦-¦=-01:30:00¦time without time zone¦10:00¦time without time zone¦11:30
    operator¦+¦=01:00:00¦time without time zone¦23:00¦interval¦2 hours
    operator¦/¦!22012 division by zero¦interval¦1 day¦double precision¦0
    function¦to_char¦=2024-02-29 12:34:56.789012¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦YYYY-MM-DD HH24:MI:SS.US
    function¦to_char¦=Thu, 29 Feb 2024¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦Dy, DD Mon YYYY
    function¦to_char¦=Thursday February 29th¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦FMDay FMMonth DDth
    function¦to_char¦=12:34 PM¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦HH12:MI AM
    function¦to_char¦=2024-09-4¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦IYYY-IW-ID
    function¦to_char¦=1 quarter¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦Q "quarter"
    function¦to_char¦=060 2460370¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦DDD J
    function¦to_char¦=789¦timestamp without time zone¦2024-02-29 12:34:56.789012¦text¦MS
    function¦to_char¦= 1234.50¦numeric¦1234.5¦text¦9999.99
    function¦to_char¦=1,234.50¦numeric¦1234.5¦text¦FM9,999.00
    function¦to_char¦=  -5¦numeric¦-5¦text¦999
    function¦to_char¦=0.50¦numeric¦0.5¦text¦FM0.00
    function¦to_char¦= ###¦numeric¦12345¦text¦999
    function¦to_char¦= 007¦numeric¦7¦text¦000
    function¦to_char¦=1,234,567.89¦numeric¦1234567.891¦text¦FM999,999,999.99
    function¦to_char¦=  .0¦numeric¦0¦text¦9.9
    function¦to_date¦=2000-12-05¦text¦05 Dec 2000¦text¦DD Mon YYYY
    function¦to_timestamp¦=2024-02-29 10:20:30+00¦text¦2024-02-29 10:20:30¦text¦YYYY-MM-DD HH24:MI:SS
    operator¦->¦={"b": [1, 2]}¦jsonb¦{"a": {"b": [1,2]}}¦text¦a
    operator¦->>¦=x⏎y¦json¦{"a":"x\ny"}¦text¦a
    operator¦->>¦=b¦json¦[1,"b",null]¦integer¦1
    operator¦->>¦NULL¦json¦[1,"b",null]¦integer¦2
    operator¦#>>¦=2¦json¦{"a":{"b":[1,2]}}¦text[]¦{a,b,1}
    function¦greatest¦=9¦integer¦3¦integer¦9¦integer¦5
    function¦least¦=3¦double precision¦3¦double precision¦NaN
    function¦format¦=a-"B c"-'d''e'¦text¦%s-%I-%L¦text¦a¦text¦B c¦text¦d'e
    function¦concat_ws¦=a,b¦text¦,¦text¦a¦text¦b
    function¦concat¦=a1t¦text¦a¦integer¦1¦boolean¦t
    function¦pg_size_pretty¦=10239 bytes¦bigint¦10239
    function¦pg_size_pretty¦=10 kB¦bigint¦10240
    function¦pg_size_pretty¦=118 MB¦bigint¦123456789
    function¦width_bucket¦=3¦double precision¦5.35¦double precision¦0.024¦double precision¦10.06¦integer¦5
    operator¦~¦!2201B invalid regular expression: parentheses () not balanced¦text¦a¦text¦(
    operator¦~¦!2201B invalid regular expression: brackets [] not balanced¦text¦a¦text¦[
    """#
}
