// Recorded answers of PostgreSQL 15 (locale C, zone UTC) for aggregates over one group, one a line, fields separated by
// ¦: name, answer (`=text`, `NULL` or `!SQLSTATE message`), type, then the values in order.

enum AggregateAnswers {
  static let text = #"""
    sum¦NULL¦smallint
    avg¦NULL¦smallint
    stddev_samp¦NULL¦smallint
    stddev_pop¦NULL¦smallint
    var_samp¦NULL¦smallint
    var_pop¦NULL¦smallint
    stddev¦NULL¦smallint
    variance¦NULL¦smallint
    min¦NULL¦smallint
    max¦NULL¦smallint
    count¦=0¦smallint
    array_agg¦NULL¦smallint
    sum¦NULL¦smallint¦NULL
    avg¦NULL¦smallint¦NULL
    stddev_samp¦NULL¦smallint¦NULL
    stddev_pop¦NULL¦smallint¦NULL
    var_samp¦NULL¦smallint¦NULL
    var_pop¦NULL¦smallint¦NULL
    stddev¦NULL¦smallint¦NULL
    variance¦NULL¦smallint¦NULL
    min¦NULL¦smallint¦NULL
    max¦NULL¦smallint¦NULL
    count¦=0¦smallint¦NULL
    array_agg¦={NULL}¦smallint¦NULL
    sum¦=5¦smallint¦5
    avg¦=5.0000000000000000¦smallint¦5
    stddev_samp¦NULL¦smallint¦5
    stddev_pop¦=0¦smallint¦5
    var_samp¦NULL¦smallint¦5
    var_pop¦=0¦smallint¦5
    stddev¦NULL¦smallint¦5
    variance¦NULL¦smallint¦5
    min¦=5¦smallint¦5
    max¦=5¦smallint¦5
    count¦=1¦smallint¦5
    array_agg¦={5}¦smallint¦5
    sum¦=7¦smallint¦1¦2¦NULL¦4
    avg¦=2.3333333333333333¦smallint¦1¦2¦NULL¦4
    stddev_samp¦=1.5275252316519467¦smallint¦1¦2¦NULL¦4
    stddev_pop¦=1.2472191289246471¦smallint¦1¦2¦NULL¦4
    var_samp¦=2.3333333333333333¦smallint¦1¦2¦NULL¦4
    var_pop¦=1.5555555555555556¦smallint¦1¦2¦NULL¦4
    stddev¦=1.5275252316519467¦smallint¦1¦2¦NULL¦4
    variance¦=2.3333333333333333¦smallint¦1¦2¦NULL¦4
    min¦=1¦smallint¦1¦2¦NULL¦4
    max¦=4¦smallint¦1¦2¦NULL¦4
    count¦=3¦smallint¦1¦2¦NULL¦4
    array_agg¦={1,2,NULL,4}¦smallint¦1¦2¦NULL¦4
    sum¦=98301¦smallint¦32767¦32767¦32767
    avg¦=32767.000000000000¦smallint¦32767¦32767¦32767
    stddev_samp¦=0¦smallint¦32767¦32767¦32767
    stddev_pop¦=0¦smallint¦32767¦32767¦32767
    var_samp¦=0¦smallint¦32767¦32767¦32767
    var_pop¦=0¦smallint¦32767¦32767¦32767
    stddev¦=0¦smallint¦32767¦32767¦32767
    variance¦=0¦smallint¦32767¦32767¦32767
    min¦=32767¦smallint¦32767¦32767¦32767
    max¦=32767¦smallint¦32767¦32767¦32767
    count¦=3¦smallint¦32767¦32767¦32767
    array_agg¦={32767,32767,32767}¦smallint¦32767¦32767¦32767
    sum¦=2¦smallint¦-3¦8¦-3
    avg¦=0.66666666666666666667¦smallint¦-3¦8¦-3
    stddev_samp¦=6.3508529610858834¦smallint¦-3¦8¦-3
    stddev_pop¦=5.1854497287013485¦smallint¦-3¦8¦-3
    var_samp¦=40.3333333333333333¦smallint¦-3¦8¦-3
    var_pop¦=26.8888888888888889¦smallint¦-3¦8¦-3
    stddev¦=6.3508529610858834¦smallint¦-3¦8¦-3
    variance¦=40.3333333333333333¦smallint¦-3¦8¦-3
    min¦=-3¦smallint¦-3¦8¦-3
    max¦=8¦smallint¦-3¦8¦-3
    count¦=3¦smallint¦-3¦8¦-3
    array_agg¦={-3,8,-3}¦smallint¦-3¦8¦-3
    sum¦NULL¦integer
    avg¦NULL¦integer
    stddev_samp¦NULL¦integer
    stddev_pop¦NULL¦integer
    var_samp¦NULL¦integer
    var_pop¦NULL¦integer
    stddev¦NULL¦integer
    variance¦NULL¦integer
    min¦NULL¦integer
    max¦NULL¦integer
    count¦=0¦integer
    array_agg¦NULL¦integer
    sum¦NULL¦integer¦NULL¦NULL
    avg¦NULL¦integer¦NULL¦NULL
    stddev_samp¦NULL¦integer¦NULL¦NULL
    stddev_pop¦NULL¦integer¦NULL¦NULL
    var_samp¦NULL¦integer¦NULL¦NULL
    var_pop¦NULL¦integer¦NULL¦NULL
    stddev¦NULL¦integer¦NULL¦NULL
    variance¦NULL¦integer¦NULL¦NULL
    min¦NULL¦integer¦NULL¦NULL
    max¦NULL¦integer¦NULL¦NULL
    count¦=0¦integer¦NULL¦NULL
    array_agg¦={NULL,NULL}¦integer¦NULL¦NULL
    sum¦=7¦integer¦7
    avg¦=7.0000000000000000¦integer¦7
    stddev_samp¦NULL¦integer¦7
    stddev_pop¦=0¦integer¦7
    var_samp¦NULL¦integer¦7
    var_pop¦=0¦integer¦7
    stddev¦NULL¦integer¦7
    variance¦NULL¦integer¦7
    min¦=7¦integer¦7
    max¦=7¦integer¦7
    count¦=1¦integer¦7
    array_agg¦={7}¦integer¦7
    sum¦=6¦integer¦1¦2¦3¦NULL
    avg¦=2.0000000000000000¦integer¦1¦2¦3¦NULL
    stddev_samp¦=1.00000000000000000000¦integer¦1¦2¦3¦NULL
    stddev_pop¦=0.81649658092772603273¦integer¦1¦2¦3¦NULL
    var_samp¦=1.00000000000000000000¦integer¦1¦2¦3¦NULL
    var_pop¦=0.66666666666666666667¦integer¦1¦2¦3¦NULL
    stddev¦=1.00000000000000000000¦integer¦1¦2¦3¦NULL
    variance¦=1.00000000000000000000¦integer¦1¦2¦3¦NULL
    min¦=1¦integer¦1¦2¦3¦NULL
    max¦=3¦integer¦1¦2¦3¦NULL
    count¦=3¦integer¦1¦2¦3¦NULL
    array_agg¦={1,2,3,NULL}¦integer¦1¦2¦3¦NULL
    sum¦=4294967294¦integer¦2147483647¦2147483647
    avg¦=2147483647.00000000¦integer¦2147483647¦2147483647
    stddev_samp¦=0¦integer¦2147483647¦2147483647
    stddev_pop¦=0¦integer¦2147483647¦2147483647
    var_samp¦=0¦integer¦2147483647¦2147483647
    var_pop¦=0¦integer¦2147483647¦2147483647
    stddev¦=0¦integer¦2147483647¦2147483647
    variance¦=0¦integer¦2147483647¦2147483647
    min¦=2147483647¦integer¦2147483647¦2147483647
    max¦=2147483647¦integer¦2147483647¦2147483647
    count¦=2¦integer¦2147483647¦2147483647
    array_agg¦={2147483647,2147483647}¦integer¦2147483647¦2147483647
    sum¦=17¦integer¦-5¦10¦6¦6
    avg¦=4.2500000000000000¦integer¦-5¦10¦6¦6
    stddev_samp¦=6.4485140407177011¦integer¦-5¦10¦6¦6
    stddev_pop¦=5.5845769759221692¦integer¦-5¦10¦6¦6
    var_samp¦=41.5833333333333333¦integer¦-5¦10¦6¦6
    var_pop¦=31.1875000000000000¦integer¦-5¦10¦6¦6
    stddev¦=6.4485140407177011¦integer¦-5¦10¦6¦6
    variance¦=41.5833333333333333¦integer¦-5¦10¦6¦6
    min¦=-5¦integer¦-5¦10¦6¦6
    max¦=10¦integer¦-5¦10¦6¦6
    count¦=4¦integer¦-5¦10¦6¦6
    array_agg¦={-5,10,6,6}¦integer¦-5¦10¦6¦6
    sum¦NULL¦bigint
    avg¦NULL¦bigint
    stddev_samp¦NULL¦bigint
    stddev_pop¦NULL¦bigint
    var_samp¦NULL¦bigint
    var_pop¦NULL¦bigint
    stddev¦NULL¦bigint
    variance¦NULL¦bigint
    min¦NULL¦bigint
    max¦NULL¦bigint
    count¦=0¦bigint
    array_agg¦NULL¦bigint
    sum¦NULL¦bigint¦NULL
    avg¦NULL¦bigint¦NULL
    stddev_samp¦NULL¦bigint¦NULL
    stddev_pop¦NULL¦bigint¦NULL
    var_samp¦NULL¦bigint¦NULL
    var_pop¦NULL¦bigint¦NULL
    stddev¦NULL¦bigint¦NULL
    variance¦NULL¦bigint¦NULL
    min¦NULL¦bigint¦NULL
    max¦NULL¦bigint¦NULL
    count¦=0¦bigint¦NULL
    array_agg¦={NULL}¦bigint¦NULL
    sum¦=9¦bigint¦9
    avg¦=9.0000000000000000¦bigint¦9
    stddev_samp¦NULL¦bigint¦9
    stddev_pop¦=0¦bigint¦9
    var_samp¦NULL¦bigint¦9
    var_pop¦=0¦bigint¦9
    stddev¦NULL¦bigint¦9
    variance¦NULL¦bigint¦9
    min¦=9¦bigint¦9
    max¦=9¦bigint¦9
    count¦=1¦bigint¦9
    array_agg¦={9}¦bigint¦9
    sum¦=18446744073709551615¦bigint¦9223372036854775807¦9223372036854775807¦1
    avg¦=6148914691236517205¦bigint¦9223372036854775807¦9223372036854775807¦1
    min¦=1¦bigint¦9223372036854775807¦9223372036854775807¦1
    max¦=9223372036854775807¦bigint¦9223372036854775807¦9223372036854775807¦1
    count¦=3¦bigint¦9223372036854775807¦9223372036854775807¦1
    array_agg¦={9223372036854775807,9223372036854775807,1}¦bigint¦9223372036854775807¦9223372036854775807¦1
    sum¦=5¦bigint¦1¦2¦2
    avg¦=1.6666666666666667¦bigint¦1¦2¦2
    stddev_samp¦=0.57735026918962576451¦bigint¦1¦2¦2
    stddev_pop¦=0.47140452079103168293¦bigint¦1¦2¦2
    var_samp¦=0.33333333333333333333¦bigint¦1¦2¦2
    var_pop¦=0.22222222222222222222¦bigint¦1¦2¦2
    stddev¦=0.57735026918962576451¦bigint¦1¦2¦2
    variance¦=0.33333333333333333333¦bigint¦1¦2¦2
    min¦=1¦bigint¦1¦2¦2
    max¦=2¦bigint¦1¦2¦2
    count¦=3¦bigint¦1¦2¦2
    array_agg¦={1,2,2}¦bigint¦1¦2¦2
    sum¦=6¦bigint¦-7¦3¦NULL¦10
    avg¦=2.0000000000000000¦bigint¦-7¦3¦NULL¦10
    stddev_samp¦=8.5440037453175312¦bigint¦-7¦3¦NULL¦10
    stddev_pop¦=6.9761498454854499¦bigint¦-7¦3¦NULL¦10
    var_samp¦=73.0000000000000000¦bigint¦-7¦3¦NULL¦10
    var_pop¦=48.6666666666666667¦bigint¦-7¦3¦NULL¦10
    stddev¦=8.5440037453175312¦bigint¦-7¦3¦NULL¦10
    variance¦=73.0000000000000000¦bigint¦-7¦3¦NULL¦10
    min¦=-7¦bigint¦-7¦3¦NULL¦10
    max¦=10¦bigint¦-7¦3¦NULL¦10
    count¦=3¦bigint¦-7¦3¦NULL¦10
    array_agg¦={-7,3,NULL,10}¦bigint¦-7¦3¦NULL¦10
    sum¦NULL¦real
    avg¦NULL¦real
    stddev_samp¦NULL¦real
    stddev_pop¦NULL¦real
    var_samp¦NULL¦real
    var_pop¦NULL¦real
    stddev¦NULL¦real
    variance¦NULL¦real
    min¦NULL¦real
    max¦NULL¦real
    count¦=0¦real
    array_agg¦NULL¦real
    sum¦=1.5¦real¦1.5
    avg¦=1.5¦real¦1.5
    stddev_samp¦NULL¦real¦1.5
    stddev_pop¦=0¦real¦1.5
    var_samp¦NULL¦real¦1.5
    var_pop¦=0¦real¦1.5
    stddev¦NULL¦real¦1.5
    variance¦NULL¦real¦1.5
    min¦=1.5¦real¦1.5
    max¦=1.5¦real¦1.5
    count¦=1¦real¦1.5
    array_agg¦={1.5}¦real¦1.5
    sum¦=-0.25¦real¦1.5¦2.25¦NULL¦-4
    avg¦=-0.08333333333333333¦real¦1.5¦2.25¦NULL¦-4
    stddev_samp¦=3.412599204907212¦real¦1.5¦2.25¦NULL¦-4
    stddev_pop¦=2.786375582883415¦real¦1.5¦2.25¦NULL¦-4
    var_samp¦=11.645833333333334¦real¦1.5¦2.25¦NULL¦-4
    var_pop¦=7.763888888888889¦real¦1.5¦2.25¦NULL¦-4
    stddev¦=3.412599204907212¦real¦1.5¦2.25¦NULL¦-4
    variance¦=11.645833333333334¦real¦1.5¦2.25¦NULL¦-4
    min¦=-4¦real¦1.5¦2.25¦NULL¦-4
    max¦=2.25¦real¦1.5¦2.25¦NULL¦-4
    count¦=3¦real¦1.5¦2.25¦NULL¦-4
    array_agg¦={1.5,2.25,NULL,-4}¦real¦1.5¦2.25¦NULL¦-4
    sum¦=NaN¦real¦NaN¦1
    avg¦=NaN¦real¦NaN¦1
    stddev_samp¦=NaN¦real¦NaN¦1
    stddev_pop¦=NaN¦real¦NaN¦1
    var_samp¦=NaN¦real¦NaN¦1
    var_pop¦=NaN¦real¦NaN¦1
    stddev¦=NaN¦real¦NaN¦1
    variance¦=NaN¦real¦NaN¦1
    min¦=1¦real¦NaN¦1
    max¦=NaN¦real¦NaN¦1
    count¦=2¦real¦NaN¦1
    array_agg¦={NaN,1}¦real¦NaN¦1
    sum¦=0¦real¦0¦-0
    avg¦=0¦real¦0¦-0
    stddev_samp¦=0¦real¦0¦-0
    stddev_pop¦=0¦real¦0¦-0
    var_samp¦=0¦real¦0¦-0
    var_pop¦=0¦real¦0¦-0
    stddev¦=0¦real¦0¦-0
    variance¦=0¦real¦0¦-0
    min¦=-0¦real¦0¦-0
    max¦=-0¦real¦0¦-0
    count¦=2¦real¦0¦-0
    array_agg¦={0,-0}¦real¦0¦-0
    sum¦NULL¦double precision
    avg¦NULL¦double precision
    stddev_samp¦NULL¦double precision
    stddev_pop¦NULL¦double precision
    var_samp¦NULL¦double precision
    var_pop¦NULL¦double precision
    stddev¦NULL¦double precision
    variance¦NULL¦double precision
    min¦NULL¦double precision
    max¦NULL¦double precision
    count¦=0¦double precision
    array_agg¦NULL¦double precision
    sum¦NULL¦double precision¦NULL
    avg¦NULL¦double precision¦NULL
    stddev_samp¦NULL¦double precision¦NULL
    stddev_pop¦NULL¦double precision¦NULL
    var_samp¦NULL¦double precision¦NULL
    var_pop¦NULL¦double precision¦NULL
    stddev¦NULL¦double precision¦NULL
    variance¦NULL¦double precision¦NULL
    min¦NULL¦double precision¦NULL
    max¦NULL¦double precision¦NULL
    count¦=0¦double precision¦NULL
    array_agg¦={NULL}¦double precision¦NULL
    sum¦=2.5¦double precision¦2.5
    avg¦=2.5¦double precision¦2.5
    stddev_samp¦NULL¦double precision¦2.5
    stddev_pop¦=0¦double precision¦2.5
    var_samp¦NULL¦double precision¦2.5
    var_pop¦=0¦double precision¦2.5
    stddev¦NULL¦double precision¦2.5
    variance¦NULL¦double precision¦2.5
    min¦=2.5¦double precision¦2.5
    max¦=2.5¦double precision¦2.5
    count¦=1¦double precision¦2.5
    array_agg¦={2.5}¦double precision¦2.5
    sum¦=7¦double precision¦1¦2¦4¦NULL
    avg¦=2.3333333333333335¦double precision¦1¦2¦4¦NULL
    stddev_samp¦=1.5275252316519468¦double precision¦1¦2¦4¦NULL
    stddev_pop¦=1.247219128924647¦double precision¦1¦2¦4¦NULL
    var_samp¦=2.3333333333333335¦double precision¦1¦2¦4¦NULL
    var_pop¦=1.5555555555555556¦double precision¦1¦2¦4¦NULL
    stddev¦=1.5275252316519468¦double precision¦1¦2¦4¦NULL
    variance¦=2.3333333333333335¦double precision¦1¦2¦4¦NULL
    min¦=1¦double precision¦1¦2¦4¦NULL
    max¦=4¦double precision¦1¦2¦4¦NULL
    count¦=3¦double precision¦1¦2¦4¦NULL
    array_agg¦={1,2,4,NULL}¦double precision¦1¦2¦4¦NULL
    sum¦=NaN¦double precision¦NaN¦1¦Infinity
    avg¦=NaN¦double precision¦NaN¦1¦Infinity
    stddev_samp¦=NaN¦double precision¦NaN¦1¦Infinity
    stddev_pop¦=NaN¦double precision¦NaN¦1¦Infinity
    var_samp¦=NaN¦double precision¦NaN¦1¦Infinity
    var_pop¦=NaN¦double precision¦NaN¦1¦Infinity
    stddev¦=NaN¦double precision¦NaN¦1¦Infinity
    variance¦=NaN¦double precision¦NaN¦1¦Infinity
    min¦=1¦double precision¦NaN¦1¦Infinity
    max¦=NaN¦double precision¦NaN¦1¦Infinity
    count¦=3¦double precision¦NaN¦1¦Infinity
    array_agg¦={NaN,1,Infinity}¦double precision¦NaN¦1¦Infinity
    sum¦=-Infinity¦double precision¦-Infinity¦3
    avg¦=-Infinity¦double precision¦-Infinity¦3
    stddev_samp¦=NaN¦double precision¦-Infinity¦3
    stddev_pop¦=NaN¦double precision¦-Infinity¦3
    var_samp¦=NaN¦double precision¦-Infinity¦3
    var_pop¦=NaN¦double precision¦-Infinity¦3
    stddev¦=NaN¦double precision¦-Infinity¦3
    variance¦=NaN¦double precision¦-Infinity¦3
    min¦=-Infinity¦double precision¦-Infinity¦3
    max¦=3¦double precision¦-Infinity¦3
    count¦=2¦double precision¦-Infinity¦3
    array_agg¦={-Infinity,3}¦double precision¦-Infinity¦3
    sum¦=1¦double precision¦1e10¦1¦-1e10
    avg¦=0.3333333333333333¦double precision¦1e10¦1¦-1e10
    stddev_samp¦=10000000000¦double precision¦1e10¦1¦-1e10
    stddev_pop¦=8164965809.27726¦double precision¦1e10¦1¦-1e10
    var_samp¦=1e+20¦double precision¦1e10¦1¦-1e10
    var_pop¦=6.666666666666666e+19¦double precision¦1e10¦1¦-1e10
    stddev¦=10000000000¦double precision¦1e10¦1¦-1e10
    variance¦=1e+20¦double precision¦1e10¦1¦-1e10
    min¦=-10000000000¦double precision¦1e10¦1¦-1e10
    max¦=10000000000¦double precision¦1e10¦1¦-1e10
    count¦=3¦double precision¦1e10¦1¦-1e10
    array_agg¦={10000000000,1,-10000000000}¦double precision¦1e10¦1¦-1e10
    sum¦=0.6000000000000001¦double precision¦0.1¦0.2¦0.3
    avg¦=0.20000000000000004¦double precision¦0.1¦0.2¦0.3
    stddev_samp¦=0.09999999999999996¦double precision¦0.1¦0.2¦0.3
    stddev_pop¦=0.08164965809277257¦double precision¦0.1¦0.2¦0.3
    var_samp¦=0.009999999999999992¦double precision¦0.1¦0.2¦0.3
    var_pop¦=0.006666666666666661¦double precision¦0.1¦0.2¦0.3
    stddev¦=0.09999999999999996¦double precision¦0.1¦0.2¦0.3
    variance¦=0.009999999999999992¦double precision¦0.1¦0.2¦0.3
    min¦=0.1¦double precision¦0.1¦0.2¦0.3
    max¦=0.3¦double precision¦0.1¦0.2¦0.3
    count¦=3¦double precision¦0.1¦0.2¦0.3
    array_agg¦={0.1,0.2,0.3}¦double precision¦0.1¦0.2¦0.3
    sum¦NULL¦numeric
    avg¦NULL¦numeric
    stddev_samp¦NULL¦numeric
    stddev_pop¦NULL¦numeric
    var_samp¦NULL¦numeric
    var_pop¦NULL¦numeric
    stddev¦NULL¦numeric
    variance¦NULL¦numeric
    min¦NULL¦numeric
    max¦NULL¦numeric
    count¦=0¦numeric
    array_agg¦NULL¦numeric
    sum¦NULL¦numeric¦NULL
    avg¦NULL¦numeric¦NULL
    stddev_samp¦NULL¦numeric¦NULL
    stddev_pop¦NULL¦numeric¦NULL
    var_samp¦NULL¦numeric¦NULL
    var_pop¦NULL¦numeric¦NULL
    stddev¦NULL¦numeric¦NULL
    variance¦NULL¦numeric¦NULL
    min¦NULL¦numeric¦NULL
    max¦NULL¦numeric¦NULL
    count¦=0¦numeric¦NULL
    array_agg¦={NULL}¦numeric¦NULL
    sum¦=1.50¦numeric¦1.50
    avg¦=1.50000000000000000000¦numeric¦1.50
    stddev_samp¦NULL¦numeric¦1.50
    stddev_pop¦=0¦numeric¦1.50
    var_samp¦NULL¦numeric¦1.50
    var_pop¦=0¦numeric¦1.50
    stddev¦NULL¦numeric¦1.50
    variance¦NULL¦numeric¦1.50
    min¦=1.50¦numeric¦1.50
    max¦=1.50¦numeric¦1.50
    count¦=1¦numeric¦1.50
    array_agg¦={1.50}¦numeric¦1.50
    sum¦=6.375¦numeric¦1¦2.25¦NULL¦3.125
    avg¦=2.1250000000000000¦numeric¦1¦2.25¦NULL¦3.125
    stddev_samp¦=1.06800046816469139598¦numeric¦1¦2.25¦NULL¦3.125
    stddev_pop¦=0.87201873068568123887¦numeric¦1¦2.25¦NULL¦3.125
    var_samp¦=1.14062500000000000000¦numeric¦1¦2.25¦NULL¦3.125
    var_pop¦=0.76041666666666666667¦numeric¦1¦2.25¦NULL¦3.125
    stddev¦=1.06800046816469139598¦numeric¦1¦2.25¦NULL¦3.125
    variance¦=1.14062500000000000000¦numeric¦1¦2.25¦NULL¦3.125
    min¦=1¦numeric¦1¦2.25¦NULL¦3.125
    max¦=3.125¦numeric¦1¦2.25¦NULL¦3.125
    count¦=3¦numeric¦1¦2.25¦NULL¦3.125
    array_agg¦={1,2.25,NULL,3.125}¦numeric¦1¦2.25¦NULL¦3.125
    sum¦=NaN¦numeric¦NaN¦1
    avg¦=NaN¦numeric¦NaN¦1
    stddev_samp¦=NaN¦numeric¦NaN¦1
    stddev_pop¦=NaN¦numeric¦NaN¦1
    var_samp¦=NaN¦numeric¦NaN¦1
    var_pop¦=NaN¦numeric¦NaN¦1
    stddev¦=NaN¦numeric¦NaN¦1
    variance¦=NaN¦numeric¦NaN¦1
    min¦=1¦numeric¦NaN¦1
    max¦=NaN¦numeric¦NaN¦1
    count¦=2¦numeric¦NaN¦1
    array_agg¦={NaN,1}¦numeric¦NaN¦1
    sum¦=1000000000.501¦numeric¦0.001¦1000000000.5
    avg¦=500000000.25050000¦numeric¦0.001¦1000000000.5
    stddev_samp¦=707106781.539394¦numeric¦0.001¦1000000000.5
    stddev_pop¦=500000000.249500¦numeric¦0.001¦1000000000.5
    var_samp¦=500000000499000000.124501¦numeric¦0.001¦1000000000.5
    var_pop¦=250000000249500000.062250¦numeric¦0.001¦1000000000.5
    stddev¦=707106781.539394¦numeric¦0.001¦1000000000.5
    variance¦=500000000499000000.124501¦numeric¦0.001¦1000000000.5
    min¦=0.001¦numeric¦0.001¦1000000000.5
    max¦=1000000000.5¦numeric¦0.001¦1000000000.5
    count¦=2¦numeric¦0.001¦1000000000.5
    array_agg¦={0.001,1000000000.5}¦numeric¦0.001¦1000000000.5
    sum¦=60¦numeric¦10¦20¦30
    avg¦=20.0000000000000000¦numeric¦10¦20¦30
    stddev_samp¦=10.0000000000000000¦numeric¦10¦20¦30
    stddev_pop¦=8.1649658092772603¦numeric¦10¦20¦30
    var_samp¦=100.0000000000000000¦numeric¦10¦20¦30
    var_pop¦=66.6666666666666667¦numeric¦10¦20¦30
    stddev¦=10.0000000000000000¦numeric¦10¦20¦30
    variance¦=100.0000000000000000¦numeric¦10¦20¦30
    min¦=10¦numeric¦10¦20¦30
    max¦=30¦numeric¦10¦20¦30
    count¦=3¦numeric¦10¦20¦30
    array_agg¦={10,20,30}¦numeric¦10¦20¦30
    sum¦=3¦numeric¦1¦2
    avg¦=1.5000000000000000¦numeric¦1¦2
    stddev_samp¦=0.70710678118654752440¦numeric¦1¦2
    stddev_pop¦=0.50000000000000000000¦numeric¦1¦2
    var_samp¦=0.50000000000000000000¦numeric¦1¦2
    var_pop¦=0.25000000000000000000¦numeric¦1¦2
    stddev¦=0.70710678118654752440¦numeric¦1¦2
    variance¦=0.50000000000000000000¦numeric¦1¦2
    min¦=1¦numeric¦1¦2
    max¦=2¦numeric¦1¦2
    count¦=2¦numeric¦1¦2
    array_agg¦={1,2}¦numeric¦1¦2
    sum¦NULL¦interval
    avg¦NULL¦interval
    min¦NULL¦interval
    max¦NULL¦interval
    count¦=0¦interval
    array_agg¦NULL¦interval
    sum¦=1 day¦interval¦1 day
    avg¦=1 day¦interval¦1 day
    min¦=1 day¦interval¦1 day
    max¦=1 day¦interval¦1 day
    count¦=1¦interval¦1 day
    array_agg¦={"1 day"}¦interval¦1 day
    sum¦=1 mon 2 days 03:00:00¦interval¦1 mon¦2 days¦NULL¦03:00:00
    avg¦=10 days 17:00:00¦interval¦1 mon¦2 days¦NULL¦03:00:00
    min¦=03:00:00¦interval¦1 mon¦2 days¦NULL¦03:00:00
    max¦=1 mon¦interval¦1 mon¦2 days¦NULL¦03:00:00
    count¦=3¦interval¦1 mon¦2 days¦NULL¦03:00:00
    array_agg¦={"1 mon","2 days",NULL,03:00:00}¦interval¦1 mon¦2 days¦NULL¦03:00:00
    sum¦=1 mon 30 days¦interval¦30 days¦1 mon
    avg¦=30 days¦interval¦30 days¦1 mon
    min¦=1 mon¦interval¦30 days¦1 mon
    max¦=1 mon¦interval¦30 days¦1 mon
    count¦=2¦interval¦30 days¦1 mon
    array_agg¦={"30 days","1 mon"}¦interval¦30 days¦1 mon
    sum¦=-1 days +01:30:00¦interval¦-1 days¦01:30:00
    avg¦=-11:15:00¦interval¦-1 days¦01:30:00
    min¦=-1 days¦interval¦-1 days¦01:30:00
    max¦=01:30:00¦interval¦-1 days¦01:30:00
    count¦=2¦interval¦-1 days¦01:30:00
    array_agg¦={"-1 days",01:30:00}¦interval¦-1 days¦01:30:00
    min¦NULL¦text
    max¦NULL¦text
    count¦=0¦text
    array_agg¦NULL¦text
    min¦NULL¦text¦NULL
    max¦NULL¦text¦NULL
    count¦=0¦text¦NULL
    array_agg¦={NULL}¦text¦NULL
    min¦=a¦text¦b¦a¦NULL¦c
    max¦=c¦text¦b¦a¦NULL¦c
    count¦=3¦text¦b¦a¦NULL¦c
    array_agg¦={b,a,NULL,c}¦text¦b¦a¦NULL¦c
    min¦=¦text¦¦x
    max¦=x¦text¦¦x
    count¦=2¦text¦¦x
    array_agg¦={"",x}¦text¦¦x
    min¦=Z¦text¦Z¦a
    max¦=a¦text¦Z¦a
    count¦=2¦text¦Z¦a
    array_agg¦={Z,a}¦text¦Z¦a
    min¦NULL¦date
    max¦NULL¦date
    count¦=0¦date
    array_agg¦NULL¦date
    min¦=2023-01-01¦date¦2024-02-29¦2023-01-01¦NULL
    max¦=2024-02-29¦date¦2024-02-29¦2023-01-01¦NULL
    count¦=2¦date¦2024-02-29¦2023-01-01¦NULL
    array_agg¦={2024-02-29,2023-01-01,NULL}¦date¦2024-02-29¦2023-01-01¦NULL
    min¦=2023-01-01 00:00:00+00¦timestamp with time zone¦2024-02-29 12:00:00+00¦2023-01-01 00:00:00+00
    max¦=2024-02-29 12:00:00+00¦timestamp with time zone¦2024-02-29 12:00:00+00¦2023-01-01 00:00:00+00
    count¦=2¦timestamp with time zone¦2024-02-29 12:00:00+00¦2023-01-01 00:00:00+00
    array_agg¦={"2024-02-29 12:00:00+00","2023-01-01 00:00:00+00"}¦timestamp with time zone¦2024-02-29 12:00:00+00¦2023-01-01 00:00:00+00
    min¦=2024-01-01 00:00:00+00¦timestamp with time zone¦infinity¦2024-01-01 00:00:00+00
    max¦=infinity¦timestamp with time zone¦infinity¦2024-01-01 00:00:00+00
    count¦=2¦timestamp with time zone¦infinity¦2024-01-01 00:00:00+00
    array_agg¦={infinity,"2024-01-01 00:00:00+00"}¦timestamp with time zone¦infinity¦2024-01-01 00:00:00+00
    bool_and¦NULL¦boolean
    bool_or¦NULL¦boolean
    every¦NULL¦boolean
    count¦=0¦boolean
    array_agg¦NULL¦boolean
    bool_and¦NULL¦boolean¦NULL
    bool_or¦NULL¦boolean¦NULL
    every¦NULL¦boolean¦NULL
    count¦=0¦boolean¦NULL
    array_agg¦={NULL}¦boolean¦NULL
    bool_and¦=true¦boolean¦true
    bool_or¦=true¦boolean¦true
    every¦=true¦boolean¦true
    count¦=1¦boolean¦true
    array_agg¦={t}¦boolean¦true
    bool_and¦=false¦boolean¦true¦false
    bool_or¦=true¦boolean¦true¦false
    every¦=false¦boolean¦true¦false
    count¦=2¦boolean¦true¦false
    array_agg¦={t,f}¦boolean¦true¦false
    bool_and¦=true¦boolean¦true¦NULL
    bool_or¦=true¦boolean¦true¦NULL
    every¦=true¦boolean¦true¦NULL
    count¦=1¦boolean¦true¦NULL
    array_agg¦={t,NULL}¦boolean¦true¦NULL
    bool_and¦=false¦boolean¦false¦NULL¦false
    bool_or¦=false¦boolean¦false¦NULL¦false
    every¦=false¦boolean¦false¦NULL¦false
    count¦=2¦boolean¦false¦NULL¦false
    array_agg¦={f,NULL,f}¦boolean¦false¦NULL¦false
    bit_and¦NULL¦integer
    bit_and¦=4¦integer¦12¦NULL¦6
    bit_or¦=14¦bigint¦12¦6
    bit_xor¦=10¦smallint¦12¦6
    bit_and¦=-8¦smallint¦-1¦-8
    bit_or¦NULL¦bigint¦NULL
    """#
}
